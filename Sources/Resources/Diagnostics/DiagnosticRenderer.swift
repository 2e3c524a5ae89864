/// Shows diagnostics to people: place, message, the line with a caret, and what to do about it.
package struct DiagnosticRenderer {
  private let usesColor: Bool
  /// How many columns a line may have.
  private let columns: Int
  /// The texts that were read: they are what is spoken of, whatever the files hold by now, and a pipe is read once.
  private let documents: [String: [SourceDocument]]
  /// Where the lines of a document begin, by its file and the number of the lines before it.
  private var starts: [String: [Int: [Int]]] = [:]

  package init(_ documents: [SourceDocument], usesColor: Bool, columns: Int = 160) {
    self.documents = Dictionary(grouping: documents, by: \.file)
    self.usesColor = usesColor
    self.columns = max(40, columns)
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
      let excerpt = SourceExcerpt(
        line, column: location.column, length: location.length, room: columns - gutter.count - 3)
      let caret = String(repeating: "^", count: excerpt.width)
      text += "\(padding)\(number) | \(excerpt.line)\n\(gutter) | \(excerpt.indent)\(paint(caret, color))\n"
    }
    if let help = diagnostic.help { text += "\(gutter) = help: \(Self.printable(help))\n" }
    return text
  }

  private func paint(_ text: String, _ code: String) -> String {
    usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(SourceExcerpt.printable(text.unicodeScalars)))
  }

  /// The bytes of a line, without its end.
  private mutating func line(_ location: SourceLocation) -> ArraySlice<UInt8>? {
    let candidates = documents[location.file] ?? []
    guard let document = candidates.last(where: { $0.firstLine < location.line }) else { return nil }
    let starts = starts(of: document)
    let index = location.line - document.firstLine - 1
    guard starts.indices.contains(index) else { return nil }
    let end = index + 1 < starts.count ? starts[index + 1] - 1 : document.text.endIndex
    let line = document.text[starts[index]..<end]
    return line.last == 0x0D ? line.dropLast() : line
  }

  private mutating func starts(of document: SourceDocument) -> [Int] {
    if let known = starts[document.file]?[document.firstLine] { return known }
    let text = document.text
    let found = [text.startIndex] + text.indices.filter { text[$0] == 0x0A }.map { $0 + 1 }
    starts[document.file, default: [:]][document.firstLine] = found
    return found
  }
}
