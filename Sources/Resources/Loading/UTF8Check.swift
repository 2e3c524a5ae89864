/// Finds bytes that are not UTF-8, which decoding into a `String` would silently replace.
enum UTF8Check {
  /// The offset of the first byte that does not belong to a character, nil when all do.
  static func invalidByte(in bytes: [UInt8]) -> Int? {
    var index = 0
    while index < bytes.count {
      let first = bytes[index]
      guard first >= 0x80 else {
        index += 1
        continue
      }
      let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
      guard index + count <= bytes.count, String(validating: bytes[index..<(index + count)], as: UTF8.self) != nil
      else {
        return index
      }
      index += count
    }
    return nil
  }
}
