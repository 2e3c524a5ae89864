import COpenSSL

/// Reads PEM texts into OpenSSL's objects. The caller owns what it gets.
enum PEMReader {
  private static func withBIO<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
    guard let bio = unsafe BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else { return nil }
    defer { unsafe BIO_free(bio) }
    return unsafe body(bio)
  }

  /// All certificates up to the first broken one, in their order.
  static func certificates(_ bytes: [UInt8]) -> [OpaquePointer] {
    unsafe readAll(bytes, shim_read_certificate).objects
  }

  /// All certificates, in their order. One that is broken must not take those behind it away unnoticed.
  ///
  /// - Parameter what: what the text is, for the message: `the CA`.
  static func allCertificates(_ bytes: [UInt8], what: String) throws(TLSConfigurationError) -> [OpaquePointer] {
    let (all, isComplete) = unsafe readAll(bytes, shim_read_certificate)
    if isComplete { return unsafe all }
    for index in unsafe all.indices { unsafe X509_free(all[index]) }
    throw unsafe TLSConfigurationError("certificate \(all.count + 1) of \(what) cannot be read")
  }

  /// The private key, nil when there is none that can be read. A key under a pass phrase cannot: nobody is there to ask.
  static func privateKey(_ bytes: [UInt8]) -> OpaquePointer? {
    unsafe withBIO(bytes) { unsafe shim_read_private_key($0) } ?? nil
  }

  /// All revocation lists; a broken one among them must not pass for no list at all.
  static func revocationLists(_ bytes: [UInt8]) throws(TLSConfigurationError) -> [OpaquePointer] {
    let (all, isComplete) = unsafe readAll(bytes, shim_read_crl)
    if isComplete { return unsafe all }
    for index in unsafe all.indices { unsafe X509_CRL_free(all[index]) }
    throw unsafe TLSConfigurationError("revocation list \(all.count + 1) cannot be read")
  }

  /// Reads one object after the other; complete when it was the end of the text, and nothing broken, that ended it.
  private static func readAll(
    _ bytes: [UInt8], _ read: (OpaquePointer) -> OpaquePointer?
  ) -> (objects: [OpaquePointer], isComplete: Bool) {
    unsafe withBIO(bytes) { bio in
      var all = unsafe [OpaquePointer]()
      while let object = unsafe read(bio) { unsafe all.append(object) }
      let isComplete = shim_is_end_of_pem() == 1
      ERR_clear_error()
      return unsafe (all, isComplete)
    } ?? ([], true)
  }

  /// Gives a context its certificate chain and key.
  static func load(chain: [UInt8], key: [UInt8], into context: OpaquePointer) throws(TLSConfigurationError) {
    guard !chain.isEmpty else { throw TLSConfigurationError("the certificate is empty") }
    guard !key.isEmpty else { throw TLSConfigurationError("the private key is empty") }
    let certificates = try unsafe allCertificates(chain, what: "the chain")
    guard let leaf = unsafe certificates.first else { throw TLSConfigurationError("the certificate is not PEM") }
    defer { for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) } }
    guard let privateKey = unsafe privateKey(key) else {
      ERR_clear_error()
      throw TLSConfigurationError("the private key is not PEM, or encrypted")
    }
    defer { unsafe EVP_PKEY_free(privateKey) }
    guard unsafe X509_check_private_key(leaf, privateKey) == 1 else {
      ERR_clear_error()
      throw TLSConfigurationError("the private key does not belong to the certificate")
    }
    guard unsafe SSL_CTX_use_certificate(context, leaf) == 1 else {
      throw TLSConfigurationError(openSSL: "the certificate cannot be used")
    }
    for index in unsafe certificates.indices.dropFirst() {
      unsafe X509_up_ref(certificates[index])
      if unsafe shim_SSL_CTX_add0_chain_cert(context, certificates[index]) != 1 {
        unsafe X509_free(certificates[index])
      }
    }
    guard unsafe SSL_CTX_use_PrivateKey(context, privateKey) == 1 else {
      throw TLSConfigurationError(openSSL: "the private key cannot be used")
    }
  }
}
