import COpenSSL

/// Reads PEM texts into OpenSSL's objects. The caller owns what it gets.
enum PEMReader {
  private static func withBIO<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
    guard let bio = unsafe BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else { return nil }
    defer { unsafe BIO_free(bio) }
    return unsafe body(bio)
  }

  /// All certificates, in their order.
  static func certificates(_ bytes: [UInt8]) -> [OpaquePointer] {
    unsafe withBIO(bytes) { bio in
      var all = unsafe [OpaquePointer]()
      while let certificate = unsafe shim_read_certificate(bio) { unsafe all.append(certificate) }
      ERR_clear_error()
      return unsafe all
    } ?? []
  }

  /// The private key, nil when there is none that can be read. A key under a pass phrase cannot: nobody is there to ask.
  static func privateKey(_ bytes: [UInt8]) -> OpaquePointer? {
    unsafe withBIO(bytes) { unsafe shim_read_private_key($0) } ?? nil
  }

  /// All revocation lists.
  static func revocationLists(_ bytes: [UInt8]) -> [OpaquePointer] {
    unsafe withBIO(bytes) { bio in
      var all = unsafe [OpaquePointer]()
      while let list = unsafe shim_read_crl(bio) { unsafe all.append(list) }
      ERR_clear_error()
      return unsafe all
    } ?? []
  }

  /// Gives a context its certificate chain and key.
  static func load(chain: [UInt8], key: [UInt8], into context: OpaquePointer) throws(TLSConfigurationError) {
    guard !chain.isEmpty else { throw TLSConfigurationError("the certificate is empty") }
    guard !key.isEmpty else { throw TLSConfigurationError("the private key is empty") }
    let certificates = unsafe certificates(chain)
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
