/// Base64 of a few bytes (RFC 4648, section 4).
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: RawSpan) -> [UInt8] {
    var text: [UInt8] = []
    var index = 0
    while index < bytes.byteCount {
      let rest = min(3, bytes.byteCount - index)
      var group = 0
      for place in 0..<3 {
        group =
          group << 8 | (place < rest ? Int(unsafe bytes.unsafeLoad(fromByteOffset: index + place, as: UInt8.self)) : 0)
      }
      for place in 0..<4 {
        text.append(place <= rest ? alphabet[group >> (18 - 6 * place) & 63] : 0x3D)
      }
      index += 3
    }
    return text
  }
}
