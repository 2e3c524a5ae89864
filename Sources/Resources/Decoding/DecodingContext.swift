import Yams

/// What all readers of one document share: the file, the resource, the list of what is wrong.
final class DecodingContext {
  let file: String
  /// `VirtualService httpbin/httpbin-egress`, as soon as it is known.
  var resource: String?
  private(set) var diagnostics: [Diagnostic] = []

  init(file: String) {
    self.file = file
  }

  /// Whether anything was found that makes the resource unusable.
  var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

  func report(
    _ severity: Diagnostic.Severity, _ message: String, at location: SourceLocation?, code: String? = nil,
    help: String? = nil
  ) {
    let usual = severity == .error ? "IST0106" : "IST0133"
    diagnostics.append(
      Diagnostic(code ?? usual, severity, message, at: location, resource: resource, help: help))
  }

  func error(_ message: String, at location: SourceLocation?, help: String? = nil) {
    report(.error, message, at: location, help: help)
  }

  func warning(_ message: String, at location: SourceLocation?, help: String? = nil) {
    report(.warning, message, at: location, help: help)
  }

  /// The place of a node. The length is that of a scalar as it is written on one line.
  func location(of node: Node) -> SourceLocation {
    let mark = node.mark
    return SourceLocation(
      file: file, line: mark?.line ?? 1, column: mark?.column ?? 1, length: Self.length(of: node))
  }

  private static func length(of node: Node) -> Int {
    guard case .scalar(let scalar) = node else { return 1 }
    let firstLine = scalar.string.prefix { $0 != "\n" }.count
    let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
    return firstLine + (isQuoted ? 2 : 0)
  }
}
