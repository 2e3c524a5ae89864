import CLinux
import COpenSSL
import Glibc

/// Collections of trusted certificates.
enum TrustStore {
  /// What the system trusts, one store for the whole process; nil when it has none.
  ///
  /// Debian and most others keep a directory in which a certificate is found by the hash of its name: then nothing is read
  /// before it is needed, which saves megabytes in each of hundreds of instances. Images with nothing but a bundle file have
  /// it read whole. `SSL_CERT_DIR` and `SSL_CERT_FILE` are respected.
  // Written once under the lock of a static; stores have their own locks and atomic reference counts.
  nonisolated(unsafe) static let system: OpaquePointer? = {
    guard let store = unsafe X509_STORE_new() else { return nil }
    if let directory = hashedDirectory(), unsafe X509_STORE_load_path(store, directory) == 1 { return unsafe store }
    for file in bundles() where unsafe X509_STORE_load_file(store, file) == 1 { return unsafe store }
    ERR_clear_error()
    unsafe X509_STORE_free(store)
    return nil
  }()

  private static func hashedDirectory() -> String? {
    if environment("SSL_CERT_FILE") != nil { return nil }
    guard let standard = unsafe X509_get_default_cert_dir() else { return nil }
    let path = unsafe environment("SSL_CERT_DIR") ?? String(cString: standard)
    guard let directory = unsafe opendir(path) else { return nil }
    defer { unsafe closedir(directory) }
    while let entry = unsafe readdir(directory) {
      // Names of the index look like `3e44d2f7.0`.
      let isIndexed = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
        unsafe name[8] == 0x2E && name[9] == 0x30 && name[10] == 0
      }
      if isIndexed { return path }
    }
    return nil
  }

  private static func bundles() -> [String] {
    if let file = environment("SSL_CERT_FILE") { return [file] }
    return [
      "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
      "/etc/ssl/cert.pem",
    ]
  }

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// Fills the store of `context` with authorities and revocation lists.
  ///
  /// An authority need not be a root (`X509_V_FLAG_PARTIAL_CHAIN`, as in Envoy). With revocation lists every certificate of a
  /// chain must be covered by one, as in Envoy.
  static func load(authorities: [UInt8], lists: [UInt8]?, into context: OpaquePointer) throws(TLSConfigurationError) {
    let store = unsafe SSL_CTX_get_cert_store(context)
    let certificates = try unsafe PEMReader.allCertificates(authorities, what: "the CA")
    guard unsafe !certificates.isEmpty else { throw TLSConfigurationError("the CA is not PEM, or empty") }
    for index in unsafe certificates.indices {
      unsafe X509_STORE_add_cert(store, certificates[index])
      unsafe X509_free(certificates[index])
    }
    unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    guard let lists else { return }
    let revoked = try unsafe PEMReader.revocationLists(lists)
    guard unsafe !revoked.isEmpty else { throw TLSConfigurationError("the revocation list is not PEM, or empty") }
    for index in unsafe revoked.indices {
      unsafe X509_STORE_add_crl(store, revoked[index])
      unsafe X509_CRL_free(revoked[index])
    }
    unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
  }
}
