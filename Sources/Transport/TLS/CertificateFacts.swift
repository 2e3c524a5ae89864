import COpenSSL

/// What a certificate says, for people and for reports.
package struct CertificateFacts: Sendable, Equatable {
  /// RFC 2253: `CN=httpbin.org,O=Example`.
  package let subject: String
  package let issuer: String
  /// DNS names, URIs, IP addresses and e-mail addresses of the subjectAltName.
  package let names: [String]
  /// Seconds since 1970.
  package let notBefore: Int64
  /// Seconds since 1970.
  package let notAfter: Int64
  /// Hexadecimal digits.
  package let serial: String
  /// `EC`, `RSA`, `ED25519`.
  package let keyType: String
  package let keyBits: Int
  /// SHA-256 of the certificate, hexadecimal digits.
  package let fingerprint: String
  package let isSelfSigned: Bool
  package let isAuthority: Bool
  /// Its key usages allow a server; a certificate that names none allows all.
  package let isForServers: Bool

  init(_ certificate: OpaquePointer) {
    unsafe subject = CertificateText.name(X509_get_subject_name(certificate))
    unsafe issuer = CertificateText.name(X509_get_issuer_name(certificate))
    unsafe names = CertificateNames.names(of: certificate)
    unsafe notBefore = shim_time_seconds(X509_get0_notBefore(certificate))
    unsafe notAfter = shim_time_seconds(X509_get0_notAfter(certificate))
    unsafe serial = CertificateText.serial(certificate)
    let key = unsafe X509_get0_pubkey(certificate)
    unsafe keyType = EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown"
    unsafe keyBits = Int(EVP_PKEY_get_bits(key))
    unsafe fingerprint = Digest.hexadecimal(CertificateDigest.certificate(certificate))
    unsafe isSelfSigned = X509_self_signed(certificate, 0) == 1
    unsafe isAuthority = X509_check_ca(certificate) > 0
    unsafe isForServers = X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1
    ERR_clear_error()
  }

  /// Whole days until it expires, rounded down; negative when it has.
  package func daysLeft(now: Int64) -> Int {
    Int(((notAfter - now) as Int64).quotientRoundedDown(by: 86_400))
  }

  /// The first certificate of a PEM text; nil when there is none.
  package init?(pem: [UInt8]) {
    guard let first = Self.read(pem: pem).first else { return nil }
    self = first
  }

  /// All certificates of a PEM text, in their order.
  package static func read(pem: [UInt8]) -> [CertificateFacts] {
    let certificates = unsafe PEMReader.certificates(pem)
    defer { for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) } }
    return unsafe certificates.indices.map { unsafe CertificateFacts(certificates[$0]) }
  }

  /// Whether each certificate of a chain is issued by the next one: what a server has to send, in order.
  package static func isOrdered(_ chain: [CertificateFacts]) -> Bool {
    zip(chain, chain.dropFirst()).allSatisfy { $0.issuer == $1.subject }
  }

  /// Why a certificate chain and key cannot be used together, nil when they can. Dates do not matter here.
  package static func problem(chainPEM: [UInt8], keyPEM: [UInt8]) -> String? {
    guard let context = unsafe SSL_CTX_new(TLS_method()) else { return "out of memory" }
    defer { unsafe SSL_CTX_free(context) }
    do {
      try unsafe PEMReader.load(chain: chainPEM, key: keyPEM, into: context)
      return nil
    } catch {
      return error.description
    }
  }
}

extension Int64 {
  fileprivate func quotientRoundedDown(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
