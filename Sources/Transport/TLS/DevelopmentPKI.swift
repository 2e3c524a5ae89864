import CLinux
import COpenSSL

/// Makes certificates for development and tests: a P-256 authority and what it signs.
@safe
package final class DevelopmentPKI {
  /// A certificate with its key, PEM.
  package struct Pair: Sendable {
    package let certificatePEM: [UInt8]
    package let keyPEM: [UInt8]

    package init(certificatePEM: [UInt8], keyPEM: [UInt8]) {
      self.certificatePEM = certificatePEM
      self.keyPEM = keyPEM
    }
  }

  private let key: OpaquePointer
  private let certificate: OpaquePointer
  package let authority: Pair

  /// Days that certificates are good for.
  package static let validDays = 397

  /// A new authority.
  ///
  /// - Throws: `TLSConfigurationError` when OpenSSL cannot make it.
  package convenience init(name: String) throws(TLSConfigurationError) {
    guard let key = unsafe shim_EVP_EC_gen_p256() else { throw TLSConfigurationError(openSSL: "cannot make a key") }
    guard let certificate = unsafe Self.make(name: name, publicKey: key) else {
      throw TLSConfigurationError(openSSL: "cannot make a certificate")
    }
    unsafe X509_set_issuer_name(certificate, X509_get_subject_name(certificate))
    unsafe Self.add(NID_basic_constraints, "critical,CA:TRUE", to: certificate, issuer: certificate)
    unsafe Self.add(NID_key_usage, "critical,keyCertSign,cRLSign", to: certificate, issuer: certificate)
    unsafe Self.add(NID_subject_key_identifier, "hash", to: certificate, issuer: certificate)
    unsafe X509_sign(certificate, key, EVP_sha256())
    unsafe self.init(key: key, certificate: certificate)
  }

  /// An authority that was made before.
  package convenience init?(pair: Pair) {
    let certificates = unsafe PEMReader.certificates(pair.certificatePEM)
    guard let certificate = unsafe certificates.first, let key = unsafe PEMReader.privateKey(pair.keyPEM) else {
      return nil
    }
    unsafe self.init(key: key, certificate: certificate)
  }

  private init(key: OpaquePointer, certificate: OpaquePointer) {
    unsafe self.key = key
    unsafe self.certificate = certificate
    authority = unsafe Pair(certificatePEM: Self.pem(certificate: certificate), keyPEM: Self.pem(key: key))
  }

  deinit {
    unsafe X509_free(certificate)
    unsafe EVP_PKEY_free(key)
  }

  /// What a certificate is for.
  package enum Usage: String, Sendable {
    case server = "serverAuth"
    case client = "clientAuth"
  }

  /// A certificate for `names` (DNS names or addresses), signed by the authority.
  package func issue(name: String, names: [String], usage: Usage) throws(TLSConfigurationError) -> Pair {
    guard let leafKey = unsafe shim_EVP_EC_gen_p256() else { throw TLSConfigurationError(openSSL: "cannot make a key") }
    defer { unsafe EVP_PKEY_free(leafKey) }
    guard let leaf = unsafe Self.make(name: name, publicKey: leafKey) else {
      throw TLSConfigurationError(openSSL: "cannot make a certificate")
    }
    defer { unsafe X509_free(leaf) }
    unsafe X509_set_issuer_name(leaf, X509_get_subject_name(certificate))
    unsafe Self.add(NID_basic_constraints, "critical,CA:FALSE", to: leaf, issuer: certificate)
    unsafe Self.add(NID_key_usage, "critical,digitalSignature", to: leaf, issuer: certificate)
    unsafe Self.add(NID_ext_key_usage, usage.rawValue, to: leaf, issuer: certificate)
    unsafe Self.add(NID_authority_key_identifier, "keyid", to: leaf, issuer: certificate)
    if !names.isEmpty {
      let list = names.map {
        SocketAddress(literal: $0, port: 0) != nil ? "IP:\($0)" : $0.contains("://") ? "URI:\($0)" : "DNS:\($0)"
      }
      unsafe Self.add(NID_subject_alt_name, list.joined(separator: ","), to: leaf, issuer: certificate)
    }
    guard unsafe X509_sign(leaf, key, EVP_sha256()) > 0 else { throw TLSConfigurationError(openSSL: "cannot sign") }
    return unsafe Pair(certificatePEM: Self.pem(certificate: leaf), keyPEM: Self.pem(key: leafKey))
  }

  // MARK: OpenSSL

  private static func make(name: String, publicKey: OpaquePointer) -> OpaquePointer? {
    guard let certificate = unsafe X509_new() else { return nil }
    unsafe X509_set_version(certificate, 2)
    var serial = [UInt8](repeating: 0, count: 16)
    unsafe RAND_bytes(&serial, 16)
    serial[0] &= 0x7F
    let number = unsafe BN_bin2bn(serial, 16, nil)
    unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))
    unsafe BN_free(number)
    // Clocks of neighbours may be a little behind.
    unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
    unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), validDays * 86_400)
    let subject = unsafe X509_get_subject_name(certificate)
    let text = Array(name.utf8.prefix(64))
    unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, Int32(text.count), -1, 0)
    unsafe X509_set_pubkey(certificate, publicKey)
    return unsafe certificate
  }

  private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer, issuer: OpaquePointer) {
    var context = unsafe X509V3_CTX()
    unsafe X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
    guard let extensionValue = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else { return }
    unsafe X509_add_ext(certificate, extensionValue, -1)
    unsafe X509_EXTENSION_free(extensionValue)
  }

  private static func pem(certificate: OpaquePointer) -> [UInt8] {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(bio) }
    unsafe PEM_write_bio_X509(bio, certificate)
    return unsafe MemoryBIO.bytes(bio)
  }

  private static func pem(key: OpaquePointer) -> [UInt8] {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(bio) }
    unsafe PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil)
    return unsafe MemoryBIO.bytes(bio)
  }
}
