import COpenSSL

/// Reads PEM texts into OpenSSL's objects. The caller owns what it gets.
enum PEMReader {
  private static func withBIO<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) throws -> Result) rethrows -> Result? {
    guard let bio = unsafe BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else { return nil }
    defer { unsafe BIO_free(bio) }
    return unsafe try body(bio)
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

  /// The private key, nil when there is none that can be read.
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
    let certificates = unsafe certificates(chain)
    guard let leaf = unsafe certificates.first else {
      throw TLSConfigurationError("the certificate is not PEM, or empty")
    }
    defer { for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) } }
    guard let privateKey = unsafe privateKey(key) else {
      throw TLSConfigurationError(openSSL: "the private key is not PEM, or encrypted")
    }
    defer { unsafe EVP_PKEY_free(privateKey) }
    guard unsafe SSL_CTX_use_certificate(context, leaf) == 1 else {
      throw TLSConfigurationError(openSSL: "the certificate cannot be used")
    }
    for index in unsafe certificates.indices.dropFirst() {
      unsafe X509_up_ref(certificates[index])
      if unsafe shim_SSL_CTX_add0_chain_cert(context, certificates[index]) != 1 {
        unsafe X509_free(certificates[index])
      }
    }
    guard unsafe SSL_CTX_use_PrivateKey(context, privateKey) == 1, unsafe SSL_CTX_check_private_key(context) == 1 else {
      throw TLSConfigurationError(openSSL: "the private key does not belong to the certificate")
    }
  }

  /// Adds authorities and revocation lists to a store.
  static func load(authorities: [UInt8], lists: [UInt8]?, into store: OpaquePointer?) throws(TLSConfigurationError) {
    let certificates = unsafe certificates(authorities)
    guard unsafe !certificates.isEmpty else { throw TLSConfigurationError("the CA is not PEM, or empty") }
    for index in unsafe certificates.indices {
      unsafe X509_STORE_add_cert(store, certificates[index])
      unsafe X509_free(certificates[index])
    }
    guard let lists else { return }
    let revoked = unsafe revocationLists(lists)
    guard unsafe !revoked.isEmpty else { throw TLSConfigurationError("the revocation list is not PEM, or empty") }
    for index in unsafe revoked.indices {
      unsafe X509_STORE_add_crl(store, revoked[index])
      unsafe X509_CRL_free(revoked[index])
    }
    unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK))
  }
}
