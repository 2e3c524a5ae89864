import CLinux
import COpenSSL

/// Makes certificates for development and tests: a P-256 authority and what it signs. Not a public key infrastructure: nothing
/// is recorded, nothing is revoked.
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

  /// What a certificate is for.
  package enum Usage: String, Sendable {
    case server = "serverAuth"
    case client = "clientAuth"
    /// Signs others.
    case authority
  }

  /// What is to be certified.
  package struct Request: Sendable {
    package var commonName: String
    /// DNS names, IP addresses, URIs (with `://`) and e-mail addresses.
    package var names: [String] = []
    package var usage = Usage.server
    /// Seconds since 1970; nil for an hour ago: clocks of neighbours may be a little behind.
    package var notBefore: Int64?
    /// Seconds since 1970; nil for `validDays` from now.
    package var notAfter: Int64?

    package init(commonName: String, names: [String] = [], usage: Usage = .server) {
      self.commonName = commonName
      self.names = names
      self.usage = usage
    }
  }

  /// Days that certificates are good for.
  package static let validDays: Int64 = 397

  package let authority: Pair
  private let key: OpaquePointer
  private let certificate: OpaquePointer

  /// A new authority.
  ///
  /// - Throws: `TLSConfigurationError` when OpenSSL cannot make it.
  package convenience init(name: String) throws(TLSConfigurationError) {
    let made = try unsafe Self.make(Request(commonName: name, usage: .authority), signer: nil)
    unsafe self.init(key: made.key, certificate: made.certificate)
  }

  /// An authority that was made before.
  package convenience init?(pair: Pair) {
    let certificates = unsafe PEMReader.certificates(pair.certificatePEM)
    guard let certificate = unsafe certificates.first else { return nil }
    for index in unsafe certificates.indices.dropFirst() { unsafe X509_free(certificates[index]) }
    guard let key = unsafe PEMReader.privateKey(pair.keyPEM) else {
      unsafe X509_free(certificate)
      return nil
    }
    unsafe self.init(key: key, certificate: certificate)
  }

  private init(key: OpaquePointer, certificate: OpaquePointer) {
    unsafe self.key = key
    unsafe self.certificate = certificate
    authority = unsafe Self.pair(certificate, key)
  }

  deinit {
    unsafe X509_free(certificate)
    unsafe EVP_PKEY_free(key)
  }

  /// A certificate for `names`, signed by the authority.
  ///
  /// - Throws: `TLSConfigurationError` for names that cannot stand in a certificate.
  package func issue(name: String, names: [String], usage: Usage) throws(TLSConfigurationError) -> Pair {
    try issue(Request(commonName: String(name.prefix(64)), names: names, usage: usage))
  }

  /// A certificate, signed by the authority.
  ///
  /// - Throws: `TLSConfigurationError` for names that cannot stand in a certificate.
  package func issue(_ request: Request) throws(TLSConfigurationError) -> Pair {
    try unsafe Self.sign(request, signer: (certificate, key))
  }

  /// A certificate that stands for itself.
  ///
  /// - Throws: `TLSConfigurationError` for names that cannot stand in a certificate.
  package static func selfSigned(_ request: Request) throws(TLSConfigurationError) -> Pair {
    try unsafe sign(request, signer: nil)
  }

  // MARK: OpenSSL

  private typealias Signer = (certificate: OpaquePointer, key: OpaquePointer)

  private static func sign(_ request: Request, signer: Signer?) throws(TLSConfigurationError) -> Pair {
    let made = try unsafe make(request, signer: signer)
    defer {
      unsafe X509_free(made.certificate)
      unsafe EVP_PKEY_free(made.key)
    }
    return unsafe pair(made.certificate, made.key)
  }

  /// The caller owns both.
  private static func make(_ request: Request, signer: Signer?) throws(TLSConfigurationError) -> Signer {
    guard let key = unsafe shim_EVP_EC_gen_p256() else { throw TLSConfigurationError(openSSL: "cannot make a key") }
    guard let certificate = unsafe X509_new() else {
      unsafe EVP_PKEY_free(key)
      throw TLSConfigurationError(openSSL: "cannot make a certificate")
    }
    do throws(TLSConfigurationError) {
      try unsafe fill(certificate, request, key)
      let issuer = unsafe signer?.certificate ?? certificate
      unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer))
      try unsafe extend(certificate, request, issuer: issuer)
      guard unsafe X509_sign(certificate, signer?.key ?? key, EVP_sha256()) > 0 else {
        throw TLSConfigurationError(openSSL: "cannot sign")
      }
    } catch {
      unsafe X509_free(certificate)
      unsafe EVP_PKEY_free(key)
      throw error
    }
    return unsafe (certificate, key)
  }

  private static func pair(_ certificate: OpaquePointer, _ key: OpaquePointer) -> Pair {
    Pair(
      certificatePEM: unsafe CertificateText.bytes { unsafe PEM_write_bio_X509($0, certificate) == 1 },
      keyPEM: unsafe CertificateText.bytes { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) == 1 }
    )
  }

  private static func fill(
    _ certificate: OpaquePointer, _ request: Request, _ key: OpaquePointer
  ) throws(TLSConfigurationError) {
    let now = shim_realtime_nanoseconds() / 1_000_000_000
    unsafe X509_set_version(certificate, 2)
    var serial = [UInt8](repeating: 0, count: 16)
    unsafe RAND_bytes(&serial, 16)
    serial[0] = serial[0] & 0x7F | 0x40
    let number = unsafe BN_bin2bn(serial, 16, nil)
    unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))
    unsafe BN_free(number)
    unsafe ASN1_TIME_set(X509_getm_notBefore(certificate), time_t(request.notBefore ?? now - 3600))
    unsafe ASN1_TIME_set(X509_getm_notAfter(certificate), time_t(request.notAfter ?? now + validDays * 86_400))
    unsafe X509_set_pubkey(certificate, key)
    let name = unsafe X509_get_subject_name(certificate)
    let isSet = unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, request.commonName, -1, -1, 0)
    guard isSet == 1 else { throw TLSConfigurationError(openSSL: "\"\(request.commonName)\" cannot be a common name") }
  }

  private static func extend(
    _ certificate: OpaquePointer, _ request: Request, issuer: OpaquePointer
  ) throws(TLSConfigurationError) {
    var extensions: [(Int32, String)] = []
    switch request.usage {
    case .authority:
      extensions = [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign")]
    case .server, .client:
      extensions = [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
        (NID_ext_key_usage, request.usage.rawValue),
      ]
    }
    extensions.append((NID_subject_key_identifier, "hash"))
    extensions.append((NID_authority_key_identifier, "keyid"))
    if !request.names.isEmpty {
      extensions.append((NID_subject_alt_name, try alternativeNames(request.names)))
    }
    for (kind, value) in extensions {
      guard unsafe shim_add_extension(certificate, issuer, kind, value) == 1 else {
        throw TLSConfigurationError(openSSL: "\"\(value)\" cannot stand in a certificate")
      }
    }
  }

  private static func alternativeNames(_ names: [String]) throws(TLSConfigurationError) -> String {
    var parts: [String] = []
    for name in names {
      // The list is OpenSSL's little language: nothing may break out of its entry.
      guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2C }) else {
        throw TLSConfigurationError("\"\(name)\" cannot be a name in a certificate")
      }
      if let address = SocketAddress(literal: name, port: 0) {
        parts.append("IP:\(address.host)")
      } else if name.contains("://") {
        parts.append("URI:\(name)")
      } else if name.contains("@") {
        parts.append("email:\(name)")
      } else {
        parts.append("DNS:\(name)")
      }
    }
    return parts.joined(separator: ",")
  }
}
