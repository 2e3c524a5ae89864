import Resources

/// Conditions of a match that are known before any request comes: which gateway, which port, which workload. A rule
/// that fails one of them is not compiled for this instance.
enum RuleScope {
  /// The first of them that does not hold; nil: the rule is in force here.
  static func failure(
    of match: HTTPMatch?, in service: Resource<VirtualService>, gateway: String, port: Int, identity: InstanceIdentity
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
    if let namespace = match.sourceNamespace?.value, namespace != identity.namespace {
      return .init(condition: "sourceNamespace", wanted: namespace, had: identity.namespace)
    }
    let labels = match.sourceLabels.mapValues(\.value)
    guard !identity.matches(labels) else { return nil }
    let missing = labels.filter { identity.labels[$0.key] != $0.value }.keys.sorted()[0]
    return .init(
      condition: "sourceLabels[\(missing)]", wanted: labels[missing] ?? "", had: identity.labels[missing] ?? "absent")
  }
}
