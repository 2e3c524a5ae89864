/// Takes a command line apart as a POSIX shell does, as far as people paste such lines: quotes, backslashes,
/// continued lines, and `$'…'` of bash, which browsers use.
enum ShellWords {
  /// The words, without their quotes; nil when a quote is not closed.
  static func split(_ line: String) -> [String]? {
    var reader = Reader(line)
    return reader.words()
  }

  private struct Reader {
    private var rest: Substring
    private var word: String?
    private var all: [String] = []

    init(_ line: String) {
      // A Swift Character holds both ends of a DOS line.
      rest = Substring(String(String.UnicodeScalarView(line.unicodeScalars.filter { $0 != "\r" })))
    }

    mutating func words() -> [String]? {
      while let character = rest.popFirst() {
        switch character {
        case " ", "\t", "\n": endWord()
        case "\\":
          guard let next = rest.popFirst() else { return nil }
          if next != "\n" { append(String(next)) }
        case "'":
          guard let text = upTo("'") else { return nil }
          append(text)
        case "\"":
          guard doubleQuoted() else { return nil }
        case "$" where rest.first == "'":
          rest.removeFirst()
          guard ansiQuoted() else { return nil }
        default: append(String(character))
        }
      }
      endWord()
      return all
    }

    private mutating func append(_ text: String) { word = (word ?? "") + text }

    private mutating func endWord() {
      if let word { all.append(word) }
      word = nil
    }

    private mutating func upTo(_ end: Character) -> String? {
      guard let index = rest.firstIndex(of: end) else { return nil }
      defer { rest = rest[rest.index(after: index)...] }
      return String(rest[..<index])
    }

    private mutating func doubleQuoted() -> Bool {
      append("")
      while let character = rest.popFirst() {
        switch character {
        case "\"": return true
        case "\\":
          guard let next = rest.popFirst() else { return false }
          if next != "\n" { append("\"\\$`".contains(next) ? String(next) : "\\\(next)") }
        default: append(String(character))
        }
      }
      return false
    }

    /// `$'…'`: the escapes of C.
    private mutating func ansiQuoted() -> Bool {
      append("")
      while let character = rest.popFirst() {
        switch character {
        case "'": return true
        case "\\":
          guard let next = rest.popFirst() else { return false }
          append(escape(next))
        default: append(String(character))
        }
      }
      return false
    }

    private mutating func escape(_ character: Character) -> String {
      switch character {
      case "n": return "\n"
      case "t": return "\t"
      case "r": return "\r"
      case "x": return scalar(digits: 2)
      case "u": return scalar(digits: 4)
      case "U": return scalar(digits: 8)
      case "\\", "'", "\"", "?": return String(character)
      default: return "\\\(character)"
      }
    }

    private mutating func scalar(digits: Int) -> String {
      let text = rest.prefix(digits).prefix { $0.isHexDigit }
      rest = rest.dropFirst(text.count)
      return UInt32(text, radix: 16).flatMap { Unicode.Scalar($0) }.map { String(Character($0)) } ?? ""
    }
  }
}
