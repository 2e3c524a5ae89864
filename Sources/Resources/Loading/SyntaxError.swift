import Yams

/// Puts what the YAML parser says into the form of a diagnostic, with the place in the file and what it is likely to
/// be.
struct SyntaxError {
  let file: String
  /// How many lines of the file stand before the document.
  let lineOffset: Int
  /// The document's lines.
  private let lines: [Substring.UTF8View.SubSequence]

  /// What a Secret holds is not shown, even when it cannot be read.
  private let mayBeSecret: Bool

  init(file: String, lineOffset: Int, document: String) {
    self.file = file
    self.lineOffset = lineOffset
    mayBeSecret = document.contains("Secret")
    lines = document.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
  }

  func diagnostic(_ error: any Error) -> Diagnostic {
    guard let error = error as? YamlError else { return make("\(error)", line: 1, column: 1) }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let detail = context.map { " (\($0.text))" } ?? ""
      // What is not closed is seen at the end of the file, and wrong where it begins.
      let isFar = problem.contains("end of stream") || context?.text.contains("scanning an a") ?? false
      let place = isFar ? context?.mark ?? mark : mark
      return make(
        "\(problem)\(detail)", line: place.line, column: place.column,
        help: help("\(problem)\(detail)", place.line))
    case .duplicatedKeysInMapping(let duplicates, let context):
      return duplicate(duplicates.first ?? "", context.mark)
    case .reader(let problem, _, let value, _):
      return control(problem, value)
    default:
      return make("\(error)", line: 1, column: 1)
    }
  }

  private func make(_ message: String, line: Int, column: Int, length: Int = 1, help: String? = nil) -> Diagnostic {
    Diagnostic(
      "IST0106", .error, "invalid YAML: \(message)",
      at: SourceLocation(file: file, line: line + lineOffset, column: column, length: length), help: help,
      hidesSource: mayBeSecret)
  }

  /// The parser names the first of the equal keys; what is wrong is the next one.
  private func duplicate(_ key: String, _ first: Mark) -> Diagnostic {
    var place = (line: first.line, column: first.column)
    for index in lines.indices.dropFirst(first.line) {
      // A list's first key stands behind a dash.
      let indent = lines[index].prefix { $0 == 0x20 }.count
      let text = lines[index].dropFirst(indent)
      guard let start = text.first, start != 0x23, start != 0x0D else { continue }
      if indent + 1 < first.column { break }
      if indent + 1 == first.column, isKey(text, key) {
        place = (index + 1, first.column)
        break
      }
    }
    return Diagnostic(
      "IST0106", .error, "field \"\(key)\" is given twice",
      at: SourceLocation(
        file: file, line: place.line + lineOffset, column: place.column, length: key.unicodeScalars.count),
      help: place.line == first.line ? nil : "the first is in line \(first.line + lineOffset)", hidesSource: mayBeSecret
    )
  }

  private func isKey(_ text: Substring.UTF8View.SubSequence, _ key: String) -> Bool {
    var rest = text
    if let quote = rest.first, quote == 0x22 || quote == 0x27 { rest = rest.dropFirst() }
    guard rest.starts(with: key.utf8) else { return false }
    rest = rest.dropFirst(key.utf8.count)
    if let quote = rest.first, quote == 0x22 || quote == 0x27 { rest = rest.dropFirst() }
    return rest.first { $0 != 0x20 } == 0x3A
  }

  /// A byte that YAML does not allow.
  private func control(_ problem: String, _ value: Int32) -> Diagnostic {
    for (index, line) in lines.enumerated() {
      if let column = line.enumerated().first(where: { Int32($1) == value })?.offset {
        return make("\(problem): byte \(value)", line: index + 1, column: column + 1)
      }
    }
    return make(problem, line: 1, column: 1)
  }

  private func help(_ problem: String, _ number: Int) -> String {
    func hasTab(_ number: Int) -> Bool {
      guard lines.indices.contains(number - 1) else { return false }
      return lines[number - 1].prefix { $0 == 0x20 || $0 == 0x09 }.contains(0x09)
    }
    if hasTab(number) || hasTab(number - 1) { return "YAML is indented with spaces, never with tabs" }
    if problem.contains("mapping values are not allowed") {
      return "quote a value that contains \": \", and indent a key as its siblings are"
    }
    if problem.contains("cannot start any token") { return "quote a value that begins with this character" }
    if problem.contains("unexpected end of stream") || problem.contains("unclosed") {
      return "a quote or bracket is not closed"
    }
    if problem.contains("undefined alias") || problem.contains("scanning an alias") {
      return "quote a value that begins with *"
    }
    return "check the indentation of this line and the one before"
  }
}
