import Resources

/// Conditions of a match that are known before any request comes: which gateway, which port, which workload. A rule
/// that fails one of them is not compiled for this instance.
enum RuleScope {
  /// Those conditions, of any kind of match.
  struct Conditions {
    let gateways: [Located<String>]
    let port: Located<Int>?
    let namespace: Located<String>?
    let labels: [String: Located<String>]

    /// Where gateways are named, labels and namespace of the workload are not looked at (Istio's sourceMatchHTTP).
    init(_ match: HTTPMatch) {
      gateways = match.gateways
      port = match.port
      namespace = gateways.isEmpty ? match.sourceNamespace : nil
      labels = gateways.isEmpty ? match.sourceLabels : [:]
    }

    init(_ match: TLSRoute.Match) {
      gateways = match.gateways
      port = match.port
      namespace = match.sourceNamespace
      labels = match.sourceLabels
    }

    init(_ match: TCPRoute.Match) {
      gateways = match.gateways
      port = match.port
      namespace = match.sourceNamespace
      labels = match.sourceLabels
    }
  }

  /// The first of them that does not hold; nil: the rule is in force here.
  static func failure(
    of match: Conditions?, in service: Resource<VirtualService>, gateway: String, port: Int, identity: InstanceIdentity
  ) -> RuleVerdict.Failure? {
    guard let match else { return nil }
    if !match.gateways.isEmpty {
      let named = match.gateways.map { GatewayReference.resolve($0.value, namespace: service.metadata.namespace) }
      if !named.contains(gateway) {
        return .init(condition: "gateways", wanted: named.joined(separator: " or "), had: gateway)
      }
    }
    if let wanted = match.port?.value, wanted != port {
      return .init(condition: "port", wanted: "\(wanted)", had: "\(port)")
    }
    if let namespace = match.namespace?.value, namespace != identity.namespace {
      return .init(condition: "sourceNamespace", wanted: namespace, had: identity.namespace)
    }
    let labels = match.labels.mapValues(\.value)
    guard !identity.matches(labels) else { return nil }
    let missing = labels.filter { identity.labels[$0.key] != $0.value }.keys.sorted()[0]
    return .init(
      condition: "sourceLabels[\(missing)]", wanted: labels[missing] ?? "", had: identity.labels[missing] ?? "absent")
  }
}
