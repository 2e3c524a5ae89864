/// Takes a command line apart as a POSIX shell does, as far as people paste such lines: quotes, backslashes,
/// continued lines, several commands, redirections, and `$'…'` of bash, which browsers use.
enum ShellWords {
  /// The words of each command, without their quotes; nil when a quote is not closed.
  static func commands(_ line: String) -> [[String]]? {
    if WindowsWords.isMeant(line) { return WindowsWords.split(line).map { [$0] } }
    var reader = Reader(line)
    return reader.commands()
  }

  private struct Reader {
    private var rest: Substring
    private var word: String?
    private var all: [String] = []
    private var finished: [[String]] = []
    /// The next word is the file of a redirection.
    private var isTarget = false

    init(_ line: String) {
      // A Swift Character holds both ends of a DOS line.
      rest = Substring(String(String.UnicodeScalarView(line.unicodeScalars.filter { $0 != "\r" })))
    }

    mutating func commands() -> [[String]]? {
      while let character = rest.popFirst() {
        switch character {
        case " ", "\t": endWord()
        case "\n": endCommand()
        case "#" where word == nil: rest = rest.drop { $0 != "\n" }
        case "|", ";", "&":
          // Within a word it belongs to a URL that somebody forgot to quote.
          let isAlone = word == nil || rest.first.map { " \t\n|;&".contains($0) } ?? true
          if isAlone { endCommand() } else { append(String(character)) }
        case ">" where isRedirection, "<" where isRedirection: beginRedirection(character)
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
      endCommand()
      return finished
    }

    /// `>` stands at the beginning of a word, or behind the number of a descriptor.
    private var isRedirection: Bool { word?.allSatisfy(\.isNumber) ?? true }

    /// `> file`, `2>&1`, `<<< text`
    private mutating func beginRedirection(_ character: Character) {
      word = nil
      while rest.first == character { rest.removeFirst() }
      if rest.first == "&" {
        rest = rest.dropFirst().drop { $0.isNumber || $0 == "-" }
      } else {
        isTarget = true
      }
    }

    private mutating func endCommand() {
      endWord()
      if !all.isEmpty { finished.append(all) }
      all = []
    }

    private mutating func append(_ text: String) { word = (word ?? "") + text }

    private mutating func endWord() {
      guard let word else { return }
      if !isTarget { all.append(word) }
      isTarget = false
      self.word = nil
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
