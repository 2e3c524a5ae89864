/// An entry of `targetRefs`: a resource that a policy is attached to.
package struct PolicyTarget: Sendable {
  package let location: SourceLocation
  package let group: Located<String>?
  package let kind: Located<String>?
  package let name: Located<String>?

  /// What policies can be attached to: group, version, kind.
  private static let allowed = [
    ("core", "v1", "Service"), ("networking.istio.io", "v1", "ServiceEntry"),
    ("gateway.networking.k8s.io", "v1", "Gateway"), ("gateway.networking.k8s.io", "v1", "GatewayClass"),
  ]

  init(_ reader: FieldReader) {
    location = reader.location
    group = reader.string("group")
    kind = reader.string("kind")
    name = reader.string("name")
    let namespace = reader.string("namespace")
    let context = reader.context
    reader.require("name", name, "targetRef name must be set")
    if let namespace, !namespace.value.isEmpty {
      context.error(
        "targetRef namespace must not be set; cross namespace referencing is not supported", at: namespace.location)
    }
    reader.require("kind", kind, "targetRef kind must be set")
    if let kind, !kind.value.isEmpty { Self.check(kind, group?.value ?? "", context) }
  }

  private static func check(_ kind: Located<String>, _ written: String, _ context: DecodingContext) {
    let wanted = written.isEmpty ? "core" : written
    guard !allowed.contains(where: { $0.0 == wanted && $0.2 == kind.value }) else { return }
    let list = allowed.map { "\($0.0)/\($0.1)/\($0.2)" }.joined(separator: " ")
    let home = allowed.first { $0.2 == kind.value }.map {
      $0.0 == "core" ? "a Service has no group" : "add group: \($0.0)"
    }
    context.error(
      "targetRef must be to one of [\(list)] but was \(written)/\(kind.value)", at: kind.location,
      help: home ?? Suggestion.help(for: kind.value, among: allowed.map(\.2)))
  }
}
