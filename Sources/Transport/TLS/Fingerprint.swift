/// SHA-256 digests as people write them.
enum Fingerprint {
  /// From 64 hexadecimal digits, perhaps with colons between the bytes.
  static func hexadecimal(_ text: String) -> [UInt8]? {
    let digits = text.filter { $0 != ":" }.compactMap(\.hexDigitValue)
    guard digits.count == 64, text.allSatisfy({ $0 == ":" || $0.isHexDigit }) else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// From the 44 characters of base64.
  static func base64(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let characters = Array(text.utf8)
    guard characters.count == 44, characters.last == 0x3D else { return nil }
    var bytes: [UInt8] = []
    var bits = 0
    var held: UInt32 = 0
    for character in characters.dropLast() {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      held = (held << 6 | UInt32(value)) & 0xFFFF
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
      }
    }
    return bytes.count == 32 ? bytes : nil
  }
}
