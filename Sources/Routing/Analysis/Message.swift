import Resources

/// A kind of finding: what `check --explain CODE` and the documentation say about a code.
package struct Message: Sendable {
  /// Istio's code where the meaning is Istio's (`IST0101`), else our own (`SP1001`).
  package let code: String
  /// The usual severity; a finding may be milder.
  package let severity: Diagnostic.Severity
  /// A few words; Istio's name for Istio's codes.
  package let title: String
  package let cause: String
  package let fix: String

  init(_ code: String, _ severity: Diagnostic.Severity, _ title: String, cause: String, fix: String) {
    self.code = code
    self.severity = severity
    self.title = title
    self.cause = cause
    self.fix = fix
  }

  /// The text of `check --explain`.
  package var text: String {
    "\(code) \(title) (\(severity.label))\n\nCause: \(cause)\n\nFix: \(fix)\n"
  }

  /// Where the documentation speaks of it.
  package var page: String { "docs/diagnostics.md#\(code.lowercased())-\(title.lowercased())" }

  /// The section in `docs/diagnostics.md`.
  var section: String {
    """
    ## \(code) \(title)

    Usually \(severity == .error ? "an error" : severity == .warning ? "a warning" : "information").

    **Cause.** \(cause)

    **Fix.** \(fix)

    """
  }
}

/// All codes, in one place.
package enum MessageCatalog {
  /// In the order of their codes, Istio's first.
  package static let all: [Message] = istio + (sallyport + ineffective).sorted { $0.code < $1.code }

  private static let byCode: [String: Message] = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

  /// The message of a code, in any case.
  package static func message(_ code: String) -> Message? { byCode[code.uppercased()] }

  /// The code that was perhaps meant.
  package static func suggestion(for code: String) -> String? {
    Suggestion.help(for: code.uppercased(), among: all.map(\.code))
  }

  /// A finding with the severity that its code usually has.
  static func finding(
    _ code: String, _ message: String, at location: SourceLocation?, resource: String?, help: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      code, byCode[code]?.severity ?? .warning, message, at: location, resource: resource, help: help)
  }

  /// The whole of `docs/diagnostics.md`.
  package static var page: String {
    """
    # Diagnostics

    What `sallyport check` (alias `analyze`), the process log and `/server_info` say, by code. Codes and severities are Istio's
    where the meaning is Istio's; `SP1xxx` are Sallyport's own. `sallyport check --explain CODE` prints a section; this page is
    `sallyport check --explain all`.

    A finding is silenced with `-S CODE=Kind name.namespace` (both sides may hold `*`), or on the resource itself with the
    annotation `galley.istio.io/analyze-suppress: "CODE,CODE"` (`*` for all). `--output-threshold` says what is shown,
    `--failure-threshold` what makes the exit status 79.

    | code | usually | title |
    |---|---|---|
    \(all.map { "| \($0.code) | \($0.severity.label) | \($0.title) |" }.joined(separator: "\n"))

    ## Istio codes that cannot occur here, and why

    \(absentTable)

    \(all.map(\.section).joined(separator: "\n"))
    """
  }
}
