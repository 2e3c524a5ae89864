import CLinux
import COpenSSL

/// The names of a certificate: DNS names, URIs, addresses and e-mail addresses of its subjectAltName. The common name
/// does not count (RFC 9525).
enum CertificateNames {
  /// What kind of name it is.
  enum Kind { case dns, uri, address, email }

  /// A name, and what it names.
  struct Name {
    let kind: Kind
    let text: String
  }

  /// All names, as text; IP addresses in their usual form.
  static func names(of certificate: OpaquePointer) -> [String] {
    unsafe entries(of: certificate).map(\.text)
  }

  /// All names with their kinds. A name with bytes that cannot be printed stands as it would be quoted, so it matches nothing.
  static func entries(of certificate: OpaquePointer) -> [Name] {
    guard let names = unsafe shim_alt_names(certificate) else { return [] }
    defer { unsafe GENERAL_NAMES_free(names) }
    var result: [Name] = []
    for index in 0..<(unsafe shim_names_count(names)) {
      guard let name = unsafe shim_names_at(names, index), let text = unsafe shim_GENERAL_NAME_string(name) else {
        continue
      }
      let length = unsafe Int(ASN1_STRING_length(text))
      guard let data = unsafe ASN1_STRING_get0_data(text) else { continue }
      let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: length))
      switch unsafe shim_GENERAL_NAME_type(name) {
      case GEN_IPADD: if let address = address(bytes) { result.append(Name(kind: .address, text: address)) }
      case GEN_DNS: result.append(Name(kind: .dns, text: printable(bytes)))
      case GEN_URI: result.append(Name(kind: .uri, text: printable(bytes)))
      default: result.append(Name(kind: .email, text: printable(bytes)))
      }
    }
    return result
  }

  /// Whether one of `names` is among `expected`: exactly, and for DNS names without case and with a certificate's wildcard
  /// standing for one whole label, as in Envoy.
  static func contains(_ expected: [String], in names: [Name]) -> Bool {
    names.contains { name in
      expected.contains { wanted in
        switch name.kind {
        case .dns: return matches(pattern: name.text, host: wanted)
        case .address: return name.text == (SocketAddress(literal: wanted, port: 0)?.host ?? wanted)
        case .uri, .email: return name.text == wanted
        }
      }
    }
  }

  /// RFC 9525, section 6.3: `*` only as the whole left-most label, and never for a name with one label behind it.
  static func matches(pattern: String, host: String) -> Bool {
    let pattern = pattern.lowercased()
    let host = host.lowercased()
    if pattern == host { return true }
    guard pattern.hasPrefix("*."), let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
    let suffix = pattern.dropFirst()
    return suffix.dropFirst().contains(".") && !suffix.contains("*") && host[dot...] == suffix
  }

  private static func printable(_ bytes: [UInt8]) -> String {
    var text = ""
    for byte in bytes {
      if byte > 0x20, byte < 0x7F {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "\\x" + Digest.hexadecimal([byte])
      }
    }
    return text
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
