import CLinux
import COpenSSL

/// The names of a certificate: DNS names, URIs, addresses and e-mail addresses of its subjectAltName. The common name
/// does not count (RFC 9525).
enum CertificateNames {
  static func names(of certificate: OpaquePointer) -> [String] {
    guard let names = unsafe shim_alt_names(certificate) else { return [] }
    defer { unsafe GENERAL_NAMES_free(names) }
    var result: [String] = []
    for index in 0..<(unsafe shim_names_count(names)) {
      guard let name = unsafe shim_names_at(names, index), let text = unsafe shim_GENERAL_NAME_string(name) else {
        continue
      }
      let length = unsafe Int(ASN1_STRING_length(text))
      guard let data = unsafe ASN1_STRING_get0_data(text) else { continue }
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: length))
      if unsafe shim_GENERAL_NAME_type(name) == GEN_IPADD {
        if let address = address(bytes) { result.append(address) }
      } else {
        result.append(String(decoding: bytes, as: UTF8.self))
      }
    }
    return result
  }

  private static func address(_ bytes: [UInt8]) -> String? {
    let number = { (range: Range<Int>) in bytes[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    switch bytes.count {
    case 4: return SocketAddress(v4: UInt32(number(0..<4)), port: 0).host
    case 16: return SocketAddress(v6High: number(0..<8), low: number(8..<16), port: 0).host
    default: return nil
    }
  }
}
