import Yams

/// `sallyport fmt`: resources in canonical form, with their comments.
package enum ResourceFormatter {
  /// What came of a text.
  package struct Output: Sendable {
    package let text: [UInt8]
    /// Documents that stay as they are, and why: `line 12: it has anchors`.
    package let kept: [String]
    /// The text is not YAML: nothing was formatted.
    package let error: Diagnostic?
  }

  /// Formats all documents of a text.
  package static func format(_ bytes: [UInt8], file: String) -> Output {
    guard UTF8Check.invalidByte(in: bytes) == nil else {
      return Output(text: bytes, kept: [], error: Diagnostic("IST0106", .error, "not UTF-8 text"))
    }
    var texts: [String] = []
    var kept: [String] = []
    for document in documents(of: bytes) {
      let text = String(decoding: document.bytes, as: UTF8.self)
      do {
        let (formatted, why) = try format(document: text)
        if let why { kept.append("line \(document.firstLine + 1): \(why)") }
        if !formatted.isEmpty { texts.append(formatted) }
      } catch {
        let syntax = SyntaxError(file: file, lineOffset: document.firstLine, document: text)
        return Output(text: bytes, kept: [], error: syntax.diagnostic(error))
      }
    }
    return Output(text: Array(texts.joined(separator: "---\n").utf8), kept: kept, error: nil)
  }

  /// The documents, with those that hold nothing but comments.
  private static func documents(of bytes: [UInt8]) -> [DocumentSplitter.Document] {
    DocumentSplitter(bytes, keepsComments: true).documents
  }

  private static func format(document text: String) throws -> (text: String, kept: String?) {
    let scanner = CommentScanner(text)
    guard let node = try Yams.compose(yaml: text) else {
      return (scanner.comments.map { $0.text + "\n" }.joined(), nil)
    }
    if let why = obstacle(text) { return (trimmed(text), why) }
    let formatted = DocumentWriter.text(node, scanner)
    // What cannot be proved to say the same is left alone.
    guard let again = try? Yams.compose(yaml: formatted), isSame(node, again),
      CommentScanner(formatted).comments.count == scanner.comments.count
    else { return (trimmed(text), "it cannot be formatted without changing it") }
    return (formatted, nil)
  }

  /// What the parser resolves and the writer could not write back.
  private static func obstacle(_ text: String) -> String? {
    let words = text.split { " \n\t,[]{}".contains($0) }
    let hasAnchor = words.contains { ($0.first == "&" || $0.first == "*") && $0.dropFirst().first?.isLetter == true }
    if hasAnchor { return "it has anchors or aliases" }
    if words.contains(where: { $0.hasPrefix("!") && $0.count > 1 }) { return "it has tags" }
    return nil
  }

  private static func trimmed(_ text: String) -> String {
    let end = text.reversed().drop { $0 == "\n" || $0 == " " || $0 == "\r" }
    return String(end.reversed()) + "\n"
  }

  /// Whether two documents are the same; the order of a mapping's fields does not count.
  private static func isSame(_ left: Node, _ right: Node) -> Bool {
    switch (left, right) {
    case (.scalar(let first), .scalar(let second)):
      let isText = { (scalar: Node.Scalar) in
        scalar.style != .plain || !(ScalarForm.isNull(scalar.string) || ScalarForm.isNumberOrBoolean(scalar.string))
      }
      return first.string == second.string && isText(first) == isText(second)
    case (.sequence(let first), .sequence(let second)):
      return first.count == second.count && zip(first, second).allSatisfy { isSame($0, $1) }
    case (.mapping(let first), .mapping(let second)):
      return first.count == second.count
        && first.allSatisfy { key, value in
          second.contains { isSame($0.key, key) && isSame($0.value, value) }
        }
    default: return false
    }
  }
}
