/// What all readers of one document share: the file, the resource, the list of what is wrong.
final class DecodingContext {
  let file: String
  /// How many lines of the file stand before the document; the parser sees each document alone.
  private let lineOffset: Int
  /// `VirtualService httpbin/httpbin-egress`, as soon as it is known.
  var resource: String?
  /// The resource's namespace, as soon as it is known.
  var namespace = "default"
  /// `httpbin/httpbin-egress`, as soon as it is known.
  var reference: String { resource.map { String($0.drop { $0 != " " }.dropFirst()) } ?? "" }
  /// Where the annotation `istio.io/dry-run` is, when it is true.
  var dryRun: SourceLocation?
  /// Values are not repeated in messages.
  var isSecret = false
  /// The resource has no effect as a whole: no word about single fields that have none.
  var isInert = false
  private(set) var diagnostics: [Diagnostic] = []
  /// Whether anything was found that makes the resource unusable.
  private(set) var hasErrors = false

  init(file: String, lineOffset: Int = 0) {
    self.file = file
    self.lineOffset = lineOffset
  }

  func report(
    _ severity: Diagnostic.Severity, _ message: String, at location: SourceLocation?, code: String? = nil,
    help: String? = nil
  ) {
    let usual = severity == .error ? "IST0106" : "IST0133"
    if severity == .error { hasErrors = true }
    diagnostics.append(
      Diagnostic(code ?? usual, severity, message, at: location, resource: resource, help: help, hidesSource: isSecret))
  }

  /// Takes back what was said after the first `count` words; that there were errors stays known.
  func forget(after count: Int) {
    diagnostics.removeLast(max(0, diagnostics.count - count))
  }

  func error(_ message: String, at location: SourceLocation?, help: String? = nil) {
    report(.error, message, at: location, help: help)
  }

  func warning(_ message: String, at location: SourceLocation?, help: String? = nil) {
    report(.warning, message, at: location, help: help)
  }

  /// The place of a node. The length is that of a scalar as it is written on one line.
  func location(of node: Node) -> SourceLocation {
    SourceLocation(
      file: file, line: node.mark.line + lineOffset, column: node.mark.column, length: Self.length(of: node))
  }

  private static func length(of node: Node) -> Int {
    guard case .scalar(let scalar) = node else { return 1 }
    let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
    var count = isQuoted ? 2 : 0
    for unit in scalar.string.unicodeScalars {
      if unit == "\n" { break }
      count += 1
    }
    return count
  }
}
