/// Puts what the YAML parser says into the form of a diagnostic, with the place in the file and what it is likely to
/// be.
struct SyntaxError {
  let file: String
  /// How many lines of the file stand before the document.
  let lineOffset: Int
  /// The document's lines.
  private let lines: [ArraySlice<UInt8>]

  /// What a Secret holds is not shown, even when it cannot be read.
  private let mayBeSecret: Bool

  init(file: String, lineOffset: Int, document: ArraySlice<UInt8>) {
    self.file = file
    self.lineOffset = lineOffset
    mayBeSecret = document.contains("Secret".utf8)
    lines = document.split(separator: 0x0A, omittingEmptySubsequences: false)
  }

  func diagnostic(_ error: YAMLError) -> Diagnostic {
    switch error {
    case .syntax(let problem, let mark, let context):
      let message = problem + (context.map { " (\($0.text))" } ?? "")
      // What is not closed is seen at the end of the file, and wrong where it begins.
      let isFar = problem.contains("end of stream") || context?.text.contains("scanning an a") ?? false
      let place = isFar ? context?.mark ?? mark : mark
      return make("invalid YAML: \(message)", at: place, help: help(message, place.line))
    case .duplicate(let key, let mark, let first):
      return make(
        "field \"\(key)\" is given twice", at: mark, length: key.unicodeScalars.count,
        help: "the first is in line \(first.line + lineOffset)")
    case .character(let problem, let code, let offset):
      let character = code < 0x80 ? "byte \(code)" : "U+" + String(code, radix: 16, uppercase: true)
      return make("invalid YAML: \(problem): \(character)", at: place(of: offset))
    case .tooDeep(let mark):
      return make("nested deeper than \(Composer.maxDepth) levels", at: mark)
    case .tooManyValues(let mark):
      return make("the document's aliases unfold to too many values", at: mark)
    case .outOfMemory:
      return make("out of memory", at: Mark(line: 1, column: 1))
    }
  }

  private func make(_ message: String, at mark: Mark, length: Int = 1, help: String? = nil) -> Diagnostic {
    Diagnostic(
      "IST0106", .error, message,
      at: SourceLocation(file: file, line: mark.line + lineOffset, column: mark.column, length: length), help: help,
      hidesSource: mayBeSecret)
  }

  /// The place of a byte of the document.
  private func place(of offset: Int) -> Mark {
    var before = offset
    for (index, line) in lines.enumerated() {
      guard before > line.count else {
        // All characters but their continuation bytes.
        return Mark(line: index + 1, column: line.prefix(before).count { $0 & 0xC0 != 0x80 } + 1)
      }
      before -= line.count + 1
    }
    return Mark(line: 1, column: 1)
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
