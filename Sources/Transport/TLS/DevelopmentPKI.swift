import CLinux
import COpenSSL

/// Keys and certificates for development and tests: a CA, and what it signs. P-256 throughout. Not a public key infrastructure:
/// nothing is revoked, nothing is recorded.
package enum DevelopmentPKI {
  /// A certificate with its key, PEM.
  package struct Credential: Sendable {
    package let certificatePEM: [UInt8]
    package let keyPEM: [UInt8]
  }

  /// What a certificate is for.
  package enum Purpose: Sendable {
    case server, client
    /// Signs others.
    case authority
  }

  /// What is to be certified.
  package struct Request: Sendable {
    package var commonName: String
    /// DNS names, IP addresses, URIs (with `://`) and e-mail addresses.
    package var subjectAltNames: [String] = []
    package var purpose = Purpose.server
    /// Seconds since 1970; nil for now, or an hour ago to forgive clocks.
    package var notBefore: Int64?
    /// Seconds since 1970; nil for 825 days after now, or ten years for an authority.
    package var notAfter: Int64?

    package init(commonName: String, subjectAltNames: [String] = [], purpose: Purpose = .server) {
      self.commonName = commonName
      self.subjectAltNames = subjectAltNames
      self.purpose = purpose
    }
  }

  /// Makes a key and a certificate for it.
  ///
  /// - Parameter authority: who signs it; nil for a self-signed one.
  /// - Throws: `TLSConfigurationError` for names that cannot stand in a certificate.
  package static func issue(_ request: Request, by authority: Credential? = nil) throws(TLSConfigurationError)
    -> Credential
  {
    let signer = try unsafe authority.map { credential throws(TLSConfigurationError) in try unsafe Signer(credential) }
    guard let key = unsafe shim_EVP_EC_gen_p256(), let certificate = unsafe X509_new() else {
      throw TLSConfigurationError(openSSL: "cannot make a key")
    }
    defer {
      unsafe EVP_PKEY_free(key)
      unsafe X509_free(certificate)
      if let signer = unsafe signer { unsafe signer.free() }
    }
    try unsafe fill(certificate, request, key)
    let issuer = unsafe signer?.certificate ?? certificate
    unsafe X509_set_issuer_name(certificate, X509_get_subject_name(issuer))
    try unsafe extend(certificate, request, issuer: issuer)
    guard unsafe X509_sign(certificate, signer?.key ?? key, EVP_sha256()) > 0 else {
      throw TLSConfigurationError(openSSL: "cannot sign")
    }
    return Credential(
      certificatePEM: unsafe CertificateText.bytes { unsafe PEM_write_bio_X509($0, certificate) == 1 },
      keyPEM: unsafe CertificateText.bytes { unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) == 1 }
    )
  }

  @unsafe
  private struct Signer {
    let certificate: OpaquePointer
    let key: OpaquePointer

    init(_ credential: Credential) throws(TLSConfigurationError) {
      let certificates = unsafe PEMReader.certificates(credential.certificatePEM)
      guard let first = unsafe certificates.first, let key = unsafe PEMReader.privateKey(credential.keyPEM) else {
        throw TLSConfigurationError(openSSL: "the authority's certificate or key is not PEM")
      }
      for index in unsafe certificates.indices.dropFirst() { unsafe X509_free(certificates[index]) }
      unsafe certificate = first
      unsafe self.key = key
    }

    func free() {
      unsafe X509_free(certificate)
      unsafe EVP_PKEY_free(key)
    }
  }

  private static func fill(
    _ certificate: OpaquePointer, _ request: Request, _ key: OpaquePointer
  ) throws(TLSConfigurationError) {
    let now = shim_realtime_nanoseconds() / 1_000_000_000
    let days: Int64 = request.purpose == .authority ? 3650 : 825
    unsafe X509_set_version(certificate, 2)
    var serial = [UInt8](repeating: 0, count: 16)
    unsafe RAND_bytes(&serial, 16)
    serial[0] = serial[0] & 0x7F | 0x40
    let number = unsafe BN_bin2bn(serial, 16, nil)
    unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))
    unsafe BN_free(number)
    unsafe ASN1_TIME_set(X509_getm_notBefore(certificate), time_t(request.notBefore ?? now - 3600))
    unsafe ASN1_TIME_set(X509_getm_notAfter(certificate), time_t(request.notAfter ?? now + days * 86_400))
    unsafe X509_set_pubkey(certificate, key)
    let name = unsafe X509_get_subject_name(certificate)
    let isSet = unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, request.commonName, -1, -1, 0)
    guard isSet == 1 else { throw TLSConfigurationError(openSSL: "\"\(request.commonName)\" cannot be a common name") }
  }

  private static func extend(
    _ certificate: OpaquePointer, _ request: Request, issuer: OpaquePointer
  ) throws(TLSConfigurationError) {
    var extensions: [(Int32, String)] = []
    switch request.purpose {
    case .authority:
      extensions = [(NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign")]
    case .server:
      extensions = [(NID_key_usage, "critical,digitalSignature"), (NID_ext_key_usage, "serverAuth")]
    case .client:
      extensions = [(NID_key_usage, "critical,digitalSignature"), (NID_ext_key_usage, "clientAuth")]
    }
    extensions.append((NID_subject_key_identifier, "hash"))
    extensions.append((NID_authority_key_identifier, "keyid"))
    if !request.subjectAltNames.isEmpty {
      extensions.append((NID_subject_alt_name, try alternativeNames(request.subjectAltNames)))
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
