/// Regular expressions and their replacements in resources.
enum RegexRules {
  private static let maxBytes = 1024

  /// A pattern as Istio takes it (`validateStringRegexp`); an empty one has its own message.
  ///
  /// - Parameter place: what the pattern is for, as in Istio's message.
  static func check(_ pattern: Located<String>, of place: String, _ context: DecodingContext) {
    if pattern.value.utf8.count > maxBytes {
      return context.error(
        "\"\(place)\": regex is too large, max length allowed is \(maxBytes)", at: pattern.location)
    }
    guard let problem = RegexSyntax(pattern.value).problem else { return }
    context.error(
      "\"\(place)\": \(problem); Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)",
      at: pattern.location, help: "RE2 has no look-around, back-references, possessive quantifiers or atomic groups")
  }

  /// `\0` to `\9` stand for what groups matched, `\\` for a backslash; nothing else may follow one (RE2's `Rewrite`).
  static func checkReplacement(_ replacement: Located<String>, for pattern: String, _ context: DecodingContext) {
    let syntax = RegexSyntax(pattern)
    guard syntax.problem == nil else { return }
    var bytes = replacement.value.utf8.makeIterator()
    while let byte = bytes.next() {
      guard byte == UInt8(ascii: "\\") else { continue }
      let next = bytes.next()
      if next == UInt8(ascii: "\\") { continue }
      guard let next, next &- 0x30 < 10 else {
        return context.error(
          "the replacement has a backslash that neither a digit nor a backslash follows", at: replacement.location,
          help: "write \\\\ for a backslash")
      }
      let group = Int(next &- 0x30)
      guard group > syntax.groups else { continue }
      return context.error(
        "the replacement refers to \\\(group), and the pattern has \(syntax.groups == 0 ? "no groups" : syntax.groups == 1 ? "1 group" : "\(syntax.groups) groups")",
        at: replacement.location, help: "put what is to be kept in parentheses in match, or write a lower number")
    }
  }
}
