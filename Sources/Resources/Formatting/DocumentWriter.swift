/// Writes one document in canonical form: block style, two spaces a level, lists at the level of their key, the usual
/// order of a resource's first fields, comments where they were.
struct DocumentWriter {
  private var output = ""
  private var comments: [CommentScanner.Comment]
  private var blankLines: Set<Int>
  private var next = 0
  private var lastLine = 0

  private static let documentOrder = ["apiVersion", "kind", "metadata", "type", "spec"]
  private static let metadataOrder = ["name", "generateName", "namespace", "labels", "annotations"]

  init(_ scanner: CommentScanner) {
    comments = scanner.comments
    blankLines = scanner.blankLines
  }

  /// The text of a document.
  static func text(_ node: Node, _ scanner: CommentScanner) -> String {
    var writer = DocumentWriter(scanner)
    writer.write(document: node)
    writer.flush(before: Int.max, indent: 0)
    return writer.output
  }

  private mutating func write(document node: Node) {
    guard case .mapping(let mapping) = node, !mapping.isFlow || !mapping.pairs.isEmpty else {
      return write(value: node, indent: 0, isInline: false)
    }
    // What stands above the first field is about the document, whichever field comes first now.
    let first = mapping.pairs.map { line(of: $0.key) }.min() ?? 0
    flush(before: first, indent: 0)
    if blankLines.remove(first - 1) != nil, !output.isEmpty { output += "\n" }
    write(pairs: ordered(mapping, Self.documentOrder), indent: 0, isRoot: true)
  }

  /// Known fields first, in their order; the others as they came.
  private func ordered(_ mapping: Node.Mapping, _ order: [String]) -> [(key: Node, value: Node)] {
    let known = order.compactMap { name in mapping.pairs.first { $0.key.scalar?.string == name } }
    return known + mapping.pairs.filter { !order.contains($0.key.scalar?.string ?? "") }
  }

  // MARK: Comments

  /// Writes the comments that stand on lines of their own before `line`.
  private mutating func flush(before line: Int, indent: Int) {
    var index = 0
    while index < comments.count {
      let comment = comments[index]
      guard comment.isOwnLine, comment.line < line, comment.line > lastLine || line == Int.max else {
        index += 1
        continue
      }
      if blankLines.contains(comment.line - 1), !output.isEmpty, !output.hasSuffix("\n\n") { output += "\n" }
      output += spaces(indent) + comment.text + "\n"
      comments.remove(at: index)
    }
  }

  /// The comment at the end of a line of the source; once.
  private mutating func trailing(_ line: Int) -> String {
    guard let index = comments.firstIndex(where: { !$0.isOwnLine && $0.line == line }) else { return "" }
    return " " + comments.remove(at: index).text
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

  private func line(of node: Node) -> Int { node.mark.line }

  /// The last line of the source that a node begins something on.
  private func lastLine(of node: Node) -> Int {
    switch node {
    case .mapping(let mapping):
      return mapping.pairs.map { max(line(of: $0.key), lastLine(of: $0.value)) }.max() ?? line(of: node)
    case .sequence(let sequence): return sequence.items.map { lastLine(of: $0) }.max() ?? line(of: node)
    default: return line(of: node)
    }
  }

  // MARK: Collections

  /// - Parameter isRoot: keeps one empty line between fields that had some between them.
  private mutating func write(
    pairs: [(key: Node, value: Node)], indent: Int, isRoot: Bool = false, firstIsInline: Bool = false
  ) {
    // Fields may have been put into another order: comments are looked for behind the field that stood before, and behind
    // all that is in it.
    let fields = pairs.map { (start: line(of: $0.key), end: max(line(of: $0.key), lastLine(of: $0.value))) }
    for (position, (key, value)) in pairs.enumerated() {
      let start = line(of: key)
      let previous = fields.filter { $0.start < start }.map(\.end).max() ?? 0
      if !(position == 0 && firstIsInline) {
        lastLine = max(previous, position == 0 ? lastLine : 0)
        flush(before: start, indent: indent)
        if isRoot, position > 0, blankLines.contains(start - 1), !output.hasSuffix("\n\n") { output += "\n" }
        output += spaces(indent)
      }
      let name = key.scalar.map(ScalarText.inline) ?? "?"
      output += "\(name):"
      let nested = name == "metadata" && isRoot
      write(value: nested ? sortedMetadata(value) : value, indent: indent, isInline: true, keyLine: start)
    }
  }

  private func sortedMetadata(_ node: Node) -> Node {
    guard case .mapping(let mapping) = node else { return node }
    return .mapping(Node.Mapping(pairs: ordered(mapping, Self.metadataOrder), mark: mapping.mark))
  }

  /// - Parameter isInline: a key or dash stands before it on the line.
  private mutating func write(value: Node, indent: Int, isInline: Bool, keyLine: Int = 0) {
    switch value {
    case .mapping(let mapping) where !mapping.pairs.isEmpty:
      if isInline { output += trailing(keyLine) + "\n" }
      write(pairs: mapping.pairs, indent: isInline ? indent + 2 : indent)
    case .sequence(let sequence) where !sequence.items.isEmpty:
      if isInline { output += trailing(keyLine) + "\n" }
      write(items: sequence.items, indent: indent)
    case .mapping: output += (isInline ? " " : "") + "{}" + trailing(lastLine(of: value)) + "\n"
    case .sequence: output += (isInline ? " " : "") + "[]" + trailing(lastLine(of: value)) + "\n"
    case .scalar(let scalar): write(scalar, indent: indent, isInline: isInline, line: line(of: value))
    }
  }

  private mutating func write(items: [Node], indent: Int) {
    for item in items {
      flush(before: line(of: item), indent: indent)
      output += spaces(indent) + "-"
      switch item {
      case .mapping(let mapping) where !mapping.pairs.isEmpty:
        output += " "
        write(pairs: mapping.pairs, indent: indent + 2, firstIsInline: true)
      case .sequence(let sequence) where !sequence.items.isEmpty:
        output += trailing(line(of: item)) + "\n"
        write(items: sequence.items, indent: indent + 2)
      default: write(value: item, indent: indent, isInline: true)
      }
      lastLine = max(lastLine, lastLine(of: item))
    }
  }

  private mutating func write(_ scalar: Node.Scalar, indent: Int, isInline: Bool, line: Int) {
    let space = isInline ? " " : ""
    guard let (header, lines) = ScalarText.block(scalar) else {
      let text = ScalarText.inline(scalar)
      output += (text.isEmpty ? "" : space + text) + trailing(line) + "\n"
      return
    }
    output += space + header + trailing(line) + "\n"
    for text in lines { output += (text.isEmpty ? "" : spaces(indent + 2) + text) + "\n" }
  }
}
