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

  /// Formats all documents of a text; its lines end as the first one does.
  package static func format(_ bytes: [UInt8], file: String) -> Output {
    guard UTF8Check.invalidByte(in: bytes) == nil else {
      return Output(text: bytes, kept: [], error: Diagnostic("IST0106", .error, "not UTF-8 text"))
    }
    guard let end = bytes.firstIndex(of: 0x0A), end > 0, bytes[end - 1] == 0x0D else {
      return formatted(bytes, file: file)
    }
    let output = formatted(withoutReturns(bytes), file: file)
    guard output.error == nil, output.text != withoutReturns(bytes) || output.kept.isEmpty && isMixed(bytes) else {
      return Output(text: bytes, kept: output.kept, error: output.error)
    }
    return Output(text: output.text.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }, kept: output.kept, error: nil)
  }

  /// The text with bare line feeds, which is what YAML makes of its lines anyway.
  private static func withoutReturns(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for (index, byte) in bytes.enumerated() {
      if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { continue }
      result.append(byte)
    }
    return result
  }

  private static func isMixed(_ bytes: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0] == 0x0A && ($0 == 0 || bytes[$0 - 1] != 0x0D) }
  }

  private static func formatted(_ bytes: [UInt8], file: String) -> Output {
    if let line = directive(bytes) {
      return Output(text: bytes, kept: ["line \(line): it has directives"], error: nil)
    }
    var texts: [String] = []
    var kept: [String] = []
    for document in documents(of: bytes) {
      do throws(YAMLError) {
        let (formatted, why) = try format(document.bytes, behind: document.firstLine)
        if let why { kept.append("line \(document.firstLine + 1): \(why)") }
        if !formatted.isEmpty { texts.append(formatted) }
      } catch {
        let syntax = SyntaxError(file: file, lineOffset: document.firstLine, document: document.bytes)
        return Output(text: bytes, kept: [], error: syntax.diagnostic(error))
      }
    }
    // A file of which nothing can be formatted stays as it is, to the byte.
    if !kept.isEmpty, kept.count == texts.count { return Output(text: bytes, kept: kept, error: nil) }
    return Output(text: Array(texts.joined(separator: "---\n").utf8), kept: kept, error: nil)
  }

  /// The line of the first `%YAML` or `%TAG`, which belong to the document that follows.
  private static func directive(_ bytes: [UInt8]) -> Int? {
    bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      .firstIndex { $0.starts(with: "%YAML ".utf8) || $0.starts(with: "%TAG ".utf8) }.map { $0 + 1 }
  }

  /// The documents, with those that hold nothing but comments.
  private static func documents(of bytes: [UInt8]) -> [DocumentSplitter.Document] {
    DocumentSplitter(bytes, keepsComments: true).documents
  }

  /// - Parameter line: the number of the file's lines before the document.
  private static func format(
    _ document: ArraySlice<UInt8>, behind line: Int
  ) throws(YAMLError) -> (text: String, kept: String?) {
    let text = String(decoding: document, as: UTF8.self)
    let scanner = CommentScanner(text)
    guard let node = try Composer.document(document.span) else {
      return (scanner.comments.map { $0.text + "\n" }.joined(), nil)
    }
    if let why = obstacle(text) { return (trimmed(text), why) }
    let formatted = DocumentWriter.text(node, scanner)
    // What cannot be proved to say the same is left alone.
    guard let again = try? Composer.document(formatted.utf8Span.span), isSame(node, again) else {
      return (trimmed(text), "it would say something else in canonical form")
    }
    if let lost = lost(scanner.comments, in: CommentScanner(formatted).comments) {
      return (trimmed(text), "there is no place for its comment in line \(line + lost.line)")
    }
    return (formatted, nil)
  }

  /// The first comment that did not survive.
  private static func lost(
    _ comments: [CommentScanner.Comment], in formatted: [CommentScanner.Comment]
  ) -> CommentScanner.Comment? {
    guard comments.count != formatted.count else { return nil }
    var rest = formatted.map(\.text)
    return comments.first { comment in
      guard let index = rest.firstIndex(of: comment.text) else { return true }
      rest.remove(at: index)
      return false
    } ?? comments.first
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
    let end = text.reversed().drop { $0 == "\n" || $0 == " " }
    return String(end.reversed()) + "\n"
  }

  /// Whether two documents are the same; the order of a mapping's fields does not count.
  private static func isSame(_ left: Node, _ right: Node) -> Bool {
    switch (left, right) {
    case (.scalar(let first), .scalar(let second)):
      let isText = { (scalar: Node.Scalar) in
        scalar.isText || !(ScalarForm.isNull(scalar.string) || ScalarForm.isNumberOrBoolean(scalar.string))
      }
      return first.string == second.string && isText(first) == isText(second)
    case (.sequence(let first), .sequence(let second)):
      return first.items.count == second.items.count && zip(first.items, second.items).allSatisfy { isSame($0, $1) }
    case (.mapping(let first), .mapping(let second)):
      return first.pairs.count == second.pairs.count
        && first.pairs.allSatisfy { key, value in
          second.pairs.contains { isSame($0.key, key) && isSame($0.value, value) }
        }
    default: return false
    }
  }
}
