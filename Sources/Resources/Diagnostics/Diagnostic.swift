/// Something to say about the configuration.
package struct Diagnostic: Sendable, Hashable {
  /// How bad it is; ordered.
  package enum Severity: Int, Sendable, Comparable, CaseIterable {
    case info, warning, error

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// `error`, as in messages.
    package var label: String {
      switch self {
      case .info: return "info"
      case .warning: return "warning"
      case .error: return "error"
      }
    }
  }

  /// Istio's code where the meaning is Istio's (`IST0101`), else our own (`SP1001`).
  package let code: String
  package let severity: Severity
  package let message: String
  package let location: SourceLocation?
  /// `VirtualService httpbin/httpbin-egress`
  package let resource: String?
  /// What to do about it.
  package let help: String?
  /// The line in the file holds a secret: it is not to be shown.
  package let hidesSource: Bool

  package init(
    _ code: String, _ severity: Severity, _ message: String, at location: SourceLocation? = nil,
    resource: String? = nil, help: String? = nil, hidesSource: Bool = false
  ) {
    self.code = code
    self.severity = severity
    self.message = message
    self.location = location
    self.resource = resource
    self.help = help
    self.hidesSource = hidesSource
  }
}
