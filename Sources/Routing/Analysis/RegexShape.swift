/// What a regular expression begins with, and whether it is more than a text or a prefix.
struct RegexShape {
  /// What comes after the beginning.
  enum Rest {
    case nothing
    /// `.*`
    case anything
    case pattern
  }

  /// Whatever the expression matches begins with this text.
  let start: String
  let rest: Rest

  init(_ pattern: String) {
    var bytes = Array(pattern.utf8)[...]
    // The whole value is compared, with or without these.
    if bytes.first == UInt8(ascii: "^") { bytes.removeFirst() }
    if bytes.last == UInt8(ascii: "$"), bytes.dropLast().last != UInt8(ascii: "\\") { bytes.removeLast() }
    // Where there is a choice, nothing is said of what stands before it.
    guard !bytes.contains(UInt8(ascii: "|")) else {
      (start, rest) = ("", .pattern)
      return
    }
    var text: [UInt8] = []
    while let (byte, length) = Self.character(bytes) {
      let next = bytes.dropFirst(length).first
      // A quantifier may ask for none of it.
      if let next, "*?{+".utf8.contains(next) { break }
      text.append(byte)
      bytes = bytes.dropFirst(length)
    }
    start = String(decoding: text, as: UTF8.self)
    rest = bytes.isEmpty ? .nothing : bytes.elementsEqual(".*".utf8) ? .anything : .pattern
  }

  /// A character that stands for itself, with how many bytes it is written.
  private static func character(_ bytes: ArraySlice<UInt8>) -> (byte: UInt8, length: Int)? {
    guard let first = bytes.first else { return nil }
    if first == UInt8(ascii: "\\") {
      guard let next = bytes.dropFirst().first, next < 0x80, !isAlphanumeric(next) else { return nil }
      return (next, 2)
    }
    return "^$.|?*+()[]{}".utf8.contains(first) ? nil : (first, 1)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }
}
