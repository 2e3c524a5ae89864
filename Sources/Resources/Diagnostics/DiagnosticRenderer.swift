/// Shows diagnostics to people: place, message, the line with a caret, and what to do about it.
package struct DiagnosticRenderer {
  private let usesColor: Bool
  private var lines: [String: [Substring]] = [:]

  package init(usesColor: Bool) {
    self.usesColor = usesColor
  }

  /// One diagnostic, several lines.
  package mutating func text(_ diagnostic: Diagnostic) -> String {
    let color = diagnostic.severity == .error ? "31" : diagnostic.severity == .warning ? "33" : "36"
    let label = paint("\(diagnostic.severity.label)[\(diagnostic.code)]", "1;\(color)")
    let place = diagnostic.location.map { paint("\($0)", "1") + ": " } ?? ""
    var text = "\(place)\(label): \(diagnostic.message)\n"
    if let location = diagnostic.location, let line = line(location) {
      let number = "\(location.line)"
      let gutter = String(repeating: " ", count: max(5, number.count + 3))
      let padding = String(repeating: " ", count: max(0, gutter.count - number.count))
      text += "\(padding)\(number) | \(line)\n"
      let room = max(1, line.count - location.column + 1)
      let caret = String(repeating: "^", count: min(location.length, room))
      text += "\(gutter) | \(String(repeating: " ", count: location.column - 1))\(paint(caret, color))\n"
      if let help = diagnostic.help { text += "\(gutter) = help: \(help)\n" }
    } else if let help = diagnostic.help {
      text += "      = help: \(help)\n"
    }
    return text
  }

  private func paint(_ text: String, _ code: String) -> String {
    usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  private mutating func line(_ location: SourceLocation) -> String? {
    if lines[location.file] == nil {
      let text = FileSystem.isDirectory(location.file) == false ? FileSystem.read(location.file) : nil
      lines[location.file] =
        text.map { bytes in
          String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        } ?? []
    }
    guard let all = lines[location.file], location.line >= 1, location.line <= all.count else { return nil }
    return all[location.line - 1].filter { $0 != "\r" }
  }
}
