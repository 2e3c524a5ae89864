/// Takes a command line of `cmd.exe` apart, as browsers copy it: carets escape, also before quotes and at the end of a
/// line, and programs read `\"` as a quote.
enum WindowsWords {
  /// Whether a line is one of these: a caret ends a line, or stands before a quote.
  static func isMeant(_ line: String) -> Bool {
    let plain = withoutReturns(line)
    return plain.contains("^\n") || plain.hasPrefix("curl ^\"") || hasCaretQuote(plain)
  }

  private static func hasCaretQuote(_ text: String) -> Bool {
    text.firstRange(of: " ^\"") != nil && text.firstRange(of: "'") == nil
  }

  private static func withoutReturns(_ line: String) -> String {
    String(String.UnicodeScalarView(line.unicodeScalars.filter { $0 != "\r" }))
  }

  /// The words; nil when a quote is not closed.
  static func split(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    var rest = Substring(withoutCarets(withoutReturns(line)))
    while let character = rest.popFirst() {
      switch character {
      case "\\" where rest.first == "\"":
        rest.removeFirst()
        word = (word ?? "") + "\""
      case "\"":
        isQuoted.toggle()
        word = word ?? ""
      case " ", "\t", "\n":
        guard !isQuoted else {
          word = (word ?? "") + String(character)
          continue
        }
        if let word { words.append(word) }
        word = nil
      case "%" where rest.first == "%":
        rest.removeFirst()
        word = (word ?? "") + "%"
      default: word = (word ?? "") + String(character)
      }
    }
    guard !isQuoted else { return nil }
    if let word { words.append(word) }
    return words
  }

  private static func withoutCarets(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let character = rest.popFirst() {
      guard character == "^", let next = rest.popFirst() else {
        result.append(character)
        continue
      }
      if next != "\n" { result.append(next) }
    }
    return result
  }
}
