/// A line of a file as it is shown to people, with the place in it that something is said of: cut on either side where it
/// is longer than there is room for.
struct SourceExcerpt {
  /// The line, or the part of it around the place.
  let line: String
  /// What stands under the line before the place: as wide as the text above it.
  let indent: String
  /// How many columns the place has, at least 1.
  let width: Int

  /// - Parameters:
  ///   - column: the place's first character, from 1.
  ///   - length: how many characters it has.
  ///   - room: how many columns there are.
  init(_ bytes: ArraySlice<UInt8>, column: Int, length: Int, room: Int) {
    let place = Self.offset(of: column, in: bytes)
    let start = Self.offset(back: room, from: place, in: bytes)
    let end = Self.offset(of: room + 1, in: bytes[place...])
    var before = Self.printable(bytes[start..<place])[...]
    var after = Self.printable(bytes[place..<end])[...]
    let isWhole = start == bytes.startIndex && end == bytes.endIndex
    var isCut = (before: false, after: false)
    if !isWhole || Self.width(before) + Self.width(after) > room {
      before = Self.withoutTabs(before)
      after = Self.withoutTabs(after)
      // A third of the room shows what stands before the place, or more where less follows.
      let lead = max(room / 3, room - Self.width(after) - (end < bytes.endIndex ? 1 : 0))
      isCut.before = start > bytes.startIndex || Self.width(before) > lead
      while isCut.before, Self.width(before) > lead - 1 { before.removeFirst() }
      let rest = room - Self.width(before) - (isCut.before ? 1 : 0)
      isCut.after = end < bytes.endIndex || Self.width(after) > rest
      while isCut.after, Self.width(after) > rest - 1 { after.removeLast() }
    }
    line = (isCut.before ? "…" : "") + Self.text(before) + Self.text(after) + (isCut.after ? "…" : "")
    // A tab is as wide under the line as in it.
    indent =
      (isCut.before ? " " : "") + before.map { $0 == "\t" ? "\t" : String(repeating: " ", count: $0.columns) }.joined()
    width = max(1, Self.width(after.prefix(length)))
  }

  /// Without control characters: a file that is shown must not command the terminal.
  static func printable(_ scalars: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    scalars.map { scalar in
      let isControl = scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value)
      return isControl ? "\u{FFFD}" : scalar
    }
  }

  private static func printable(_ bytes: ArraySlice<UInt8>) -> [Unicode.Scalar] {
    printable(String(decoding: bytes, as: UTF8.self).unicodeScalars)
  }

  private static func withoutTabs(_ scalars: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
    scalars.map { $0 == "\t" ? " " : $0 }[...]
  }

  private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    String(String.UnicodeScalarView(scalars))
  }

  private static func width(_ scalars: ArraySlice<Unicode.Scalar>) -> Int { scalars.reduce(0) { $0 + $1.columns } }

  /// Where a character begins, or the end of the bytes.
  private static func offset(of column: Int, in bytes: ArraySlice<UInt8>) -> Int {
    var left = column
    for index in bytes.indices where !isContinuation(bytes[index]) {
      left -= 1
      if left <= 0 { return index }
    }
    return bytes.endIndex
  }

  /// Where the character begins that stands `count` characters before `place`, or the first byte.
  private static func offset(back count: Int, from place: Int, in bytes: ArraySlice<UInt8>) -> Int {
    var index = place
    var left = count
    while left > 0, index > bytes.startIndex {
      index -= 1
      if !isContinuation(bytes[index]) { left -= 1 }
    }
    return index
  }

  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
}

extension Unicode.Scalar {
  /// How many columns of a terminal it takes; a tab counts as a tab stop.
  fileprivate var columns: Int {
    if value < 0x300 { return self == "\t" ? 8 : 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return Self.wide.contains { $0.contains(value) } ? 2 : 1
    }
  }

  /// The blocks whose characters are wide or full-width (Unicode, UAX 11).
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
    0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]
}
