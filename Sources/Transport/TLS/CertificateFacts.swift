import CLinux
import COpenSSL

/// What a certificate says about itself.
package struct CertificateFacts: Sendable {
  package let subject: String
  package let issuer: String
  /// DNS names, URIs, addresses and e-mail addresses.
  package let names: [String]
  /// Seconds since 1970.
  package let notBefore: Int64
  package let notAfter: Int64
  /// In hexadecimal.
  package let serial: String
  /// Certificates in the text, this one first.
  package let chainLength: Int

  /// Reads the first certificate of a PEM text; nil when there is none.
  package init?(pem: [UInt8]) {
    let certificates = unsafe PEMReader.certificates(pem)
    defer { for index in unsafe certificates.indices { unsafe X509_free(certificates[index]) } }
    guard let first = unsafe certificates.first else { return nil }
    subject = unsafe Self.name(X509_get_subject_name(first))
    issuer = unsafe Self.name(X509_get_issuer_name(first))
    names = unsafe CertificateNames.names(of: first)
    notBefore = unsafe Self.time(X509_get0_notBefore(first))
    notAfter = unsafe Self.time(X509_get0_notAfter(first))
    chainLength = unsafe certificates.count
    serial = unsafe Self.serial(first)
  }

  private static func name(_ name: OpaquePointer?) -> String {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
    defer { unsafe BIO_free(bio) }
    unsafe X509_NAME_print_ex(bio, name, 0, shim_name_format())
    return unsafe MemoryBIO.text(bio)
  }

  private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var parts = unsafe tm()
    guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
    return unsafe Int64(timegm(&parts))
  }

  private static func serial(_ certificate: OpaquePointer) -> String {
    guard let number = unsafe ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil) else { return "" }
    defer { unsafe BN_free(number) }
    guard let text = unsafe BN_bn2hex(number) else { return "" }
    defer { unsafe CRYPTO_free(text, "", 0) }
    return unsafe String(cString: text).lowercased()
  }
}

/// BIOs in memory.
enum MemoryBIO {
  static func bytes(_ bio: OpaquePointer) -> [UInt8] {
    var data: UnsafeMutablePointer<CChar>?
    let count = unsafe shim_BIO_get_mem(bio, &data)
    guard let start = unsafe data, count > 0 else { return [] }
    return unsafe UnsafeRawBufferPointer(start: start, count: count).map { $0 }
  }

  static func text(_ bio: OpaquePointer) -> String {
    unsafe String(decoding: bytes(bio), as: UTF8.self)
  }
}
