import Resources

/// Findings that somebody does not want to see: `CODE=Kind name.namespace`, where both sides may hold `*`.
package struct Suppression: Sendable {
  private let code: String
  private let resource: String

  /// - Parameter text: as it is written behind `-S`; nil when it has no `=`.
  package init?(_ text: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
    code = String(text[..<equals])
    resource = String(text[text.index(after: equals)...])
    guard !resource.isEmpty else { return nil }
  }

  private init(code: String, resource: String) {
    self.code = code
    self.resource = resource
  }

  /// What the annotation `galley.istio.io/analyze-suppress` of resources says.
  package static func annotations(of resources: ResourceSet) -> [Suppression] {
    resources.headers.flatMap { header in
      (header.metadata.annotations["galley.istio.io/analyze-suppress"] ?? "").split(separator: ",").map { code in
        Suppression(code: String(code.filter { $0 != " " }), resource: Self.name(header.description))
      }
    }
  }

  /// Findings of policies that would refuse requests and are not enforced, but for those whose annotation says that this
  /// is known: what `--strict` refuses beside errors.
  package static func unenforced(_ diagnostics: [Diagnostic], _ resources: ResourceSet) -> [Diagnostic] {
    let found = diagnostics.filter { $0.code == "SP1016" }
    guard !found.isEmpty else { return [] }
    let suppressions = annotations(of: resources)
    return found.filter { finding in !suppressions.contains { $0.covers(finding) } }
  }

  /// The code, when it is neither one of Istio's nor ours, nor a pattern that fits one.
  package var unknownCode: String? { Self.isKnown(code: code) ? nil : code }

  /// Whether a code, or a pattern, means some finding of ours or of istioctl's.
  static func isKnown(code: String) -> Bool {
    (MessageCatalog.all.map(\.code) + MessageCatalog.absent.flatMap(\.codes)).contains { matches(code, $0) }
  }

  /// Whether a finding is meant.
  package func covers(_ diagnostic: Diagnostic) -> Bool {
    Self.matches(code, diagnostic.code) && Self.matches(resource, Self.name(diagnostic.resource ?? ""))
  }

  /// `VirtualService httpbin-egress.httpbin`, as istioctl names resources, of `VirtualService httpbin/httpbin-egress`.
  private static func name(_ resource: String) -> String {
    guard let space = resource.firstIndex(of: " "), let slash = resource.firstIndex(of: "/") else { return resource }
    let namespace = resource[resource.index(after: space)..<slash]
    return "\(resource[..<space]) \(resource[resource.index(after: slash)...]).\(namespace)"
  }

  /// `*` stands for any text, also an empty one.
  private static func matches(_ pattern: String, _ text: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1, let first = parts.first, let last = parts.last else { return pattern == text }
    guard text.count >= first.count + last.count, text.hasPrefix(first), text.hasSuffix(last) else { return false }
    var rest = text.dropFirst(first.count).dropLast(last.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}
