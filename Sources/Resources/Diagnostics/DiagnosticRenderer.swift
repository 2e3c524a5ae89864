/// Shows diagnostics to people: place, message, the line with a caret, and what to do about it.
package struct DiagnosticRenderer {
  private let usesColor: Bool
  private var lines: [String: [String]] = [:]

  package init(usesColor: Bool) {
    self.usesColor = usesColor
  }

  /// One diagnostic, several lines.
  package mutating func text(_ diagnostic: Diagnostic) -> String {
    let color = diagnostic.severity == .error ? "31" : diagnostic.severity == .warning ? "33" : "36"
    let label = paint("\(diagnostic.severity.label)[\(diagnostic.code)]", "1;\(color)")
    let place = diagnostic.location.map { paint(Self.printable("\($0)"), "1") + ": " } ?? ""
    var text = "\(place)\(label): \(Self.printable(diagnostic.message))\n"
    var gutter = "     "
    if let location = diagnostic.location, !diagnostic.hidesSource, let line = line(location) {
      let number = "\(location.line)"
      gutter = String(repeating: " ", count: max(5, number.count + 3))
      let padding = String(repeating: " ", count: gutter.count - number.count)
      let before = line.unicodeScalars.prefix(location.column - 1)
      let room = max(1, line.unicodeScalars.count - before.count)
      let caret = String(repeating: "^", count: min(location.length, room))
      // A tab is as wide under the line as in it.
      let indent = String(String.UnicodeScalarView(before.map { $0 == "\t" ? $0 : " " }))
      text += "\(padding)\(number) | \(line)\n\(gutter) | \(indent)\(paint(caret, color))\n"
    }
    if let help = diagnostic.help { text += "\(gutter) = help: \(Self.printable(help))\n" }
    return text
  }

  private func paint(_ text: String, _ code: String) -> String {
    usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Without control characters: a file that is shown must not command the terminal.
  private static func printable(_ text: some StringProtocol) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.lazy.map { scalar in
          let isControl = scalar.value < 0x20 && scalar != "\t" || (0x7F...0x9F).contains(scalar.value)
          return isControl ? "\u{FFFD}" : scalar
        }))
  }

  private mutating func line(_ location: SourceLocation) -> String? {
    if lines[location.file] == nil {
      let bytes = FileSystem.isDirectory(location.file) == false ? FileSystem.read(location.file, limit: 64 << 20) : nil
      lines[location.file] =
        bytes?.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
          Self.printable(String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self))
        } ?? []
    }
    guard let all = lines[location.file], location.line >= 1, location.line <= all.count else { return nil }
    return all[location.line - 1]
  }
}
