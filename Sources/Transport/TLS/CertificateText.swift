import COpenSSL

/// Parts of certificates in words.
enum CertificateText {
  /// A distinguished name as in RFC 2253, with control characters escaped: `CN=httpbin.org,O=Example`.
  static func name(_ name: OpaquePointer?) -> String {
    guard let name = unsafe name else { return "" }
    return unsafe print { unsafe X509_NAME_print_ex($0, name, 0, shim_name_format()) >= 0 }
  }

  /// A serial number in hexadecimal digits.
  static func serial(_ certificate: OpaquePointer) -> String {
    unsafe print { bio in
      guard let number = unsafe X509_get0_serialNumber(certificate) else { return false }
      return unsafe i2a_ASN1_INTEGER(bio, number) > 0
    }.lowercased()
  }

  /// What `body` writes into a memory BIO.
  static func print(_ body: (OpaquePointer) -> Bool) -> String {
    unsafe String(decoding: bytes(body), as: UTF8.self)
  }

  /// The bytes that `body` writes into a memory BIO; empty when it fails.
  static func bytes(_ body: (OpaquePointer) -> Bool) -> [UInt8] {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(bio) }
    guard unsafe body(bio) else {
      ERR_clear_error()
      return []
    }
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe shim_BIO_get_mem(bio, &start)
    guard let start = unsafe start, count > 0 else { return [] }
    return unsafe start.withMemoryRebound(to: UInt8.self, capacity: count) {
      unsafe Array(UnsafeBufferPointer(start: $0, count: count))
    }
  }
}
