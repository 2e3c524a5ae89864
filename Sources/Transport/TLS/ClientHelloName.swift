import COpenSSL

/// The server name of a ClientHello (RFC 6066, section 3).
enum ClientHelloName {
  /// What the extension said.
  enum Reading {
    /// In lower case; empty when the client sent none.
    case name([UInt8])
    /// The extension breaks its own format.
    case malformed
  }

  /// Reads the name while OpenSSL runs the ClientHello callback of `ssl`.
  static func read(_ ssl: OpaquePointer) -> Reading {
    var pointer: UnsafePointer<UInt8>?
    var count = 0
    let type = UInt32(TLSEXT_TYPE_server_name)
    guard unsafe SSL_client_hello_get0_ext(ssl, type, &pointer, &count) == 1, let start = unsafe pointer else {
      return .name([])
    }
    return unsafe parse(Array(UnsafeBufferPointer(start: start, count: count)))
  }

  /// Parses the extension: list length (2), then entries of type (1, 0 is host_name), length (2), name. There is exactly one
  /// entry in practice, and RFC 6066 forbids two of a type.
  static func parse(_ bytes: [UInt8]) -> Reading {
    guard bytes.count >= 5, Int(bytes[0]) << 8 | Int(bytes[1]) == bytes.count - 2, bytes[2] == 0 else {
      return .malformed
    }
    let length = Int(bytes[3]) << 8 | Int(bytes[4])
    guard length > 0, length <= 255, bytes.count == 5 + length else { return .malformed }
    let name = bytes[5...].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
    guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return .malformed }
    return .name(name)
  }
}
