import Resources

/// Finds the DestinationRule for a host and merges its levels, exactly as Istio does (`push_context.go`,
/// `destinationRule()`;
/// `util.GetPortLevelTrafficPolicy`, `MergeSubsetTrafficPolicy`).
struct TrafficPolicyResolver {
  /// What is in force for a host, port and subset.
  struct Effective {
    var loadBalancer: LoadBalancerSettings?
    var connectionPool: ConnectionPoolSettings?
    var outlierDetection: OutlierDetection?
    var tls: ClientTLSSettings?
    var tunnel: TunnelSettings?
    var proxyProtocol: ProxyProtocolVersion?
    var retryBudget: RetryBudget?
    var rule: Resource<DestinationRule>?
    var labels: [String: String] = [:]
  }

  /// What looking for a subset gave.
  enum Outcome {
    case policy(Effective)
    /// There is no such subset; those that exist.
    case noSubset([String])
  }

  private let rules: [Resource<DestinationRule>]
  private let identity: InstanceIdentity
  private let rootNamespace = "istio-system"

  init(_ resources: ResourceSet, for identity: InstanceIdentity) {
    self.identity = identity
    rules = resources.destinationRules.sorted { $0.orderKey < $1.orderKey }.filter { rule in
      guard let selector = rule.spec.workloadSelector else { return true }
      return rule.metadata.namespace == identity.namespace && identity.matches(selector.mapValues(\.value))
    }
  }

  /// The policy for a destination.
  func resolve(host: String, serviceNamespace: String, port: Int, subset: String) -> Outcome {
    let found = rulesFor(host, serviceNamespace)
    guard let first = found.first else { return subset.isEmpty ? .policy(Effective()) : .noSubset([]) }
    let top = found.lazy.compactMap(\.spec.trafficPolicy).first
    var effective = Effective(rule: first)
    apply(base: top, port: port, to: &effective)
    guard !subset.isEmpty else { return .policy(effective) }
    for rule in found {
      guard let match = rule.spec.subsets.first(where: { $0.name?.value == subset }) else { continue }
      effective.rule = rule
      effective.labels = match.labels.mapValues(\.value)
      if let policy = match.trafficPolicy { apply(subset: policy, port: port, to: &effective) }
      return .policy(effective)
    }
    return .noSubset(found.flatMap { $0.spec.subsets.compactMap(\.name?.value) })
  }

  /// A rule that has the subset and does not apply to this instance, in words.
  func elsewhere(host: String, subset: String) -> String? {
    let rule = rules.first { rule in
      let name = HostName.expand(rule.spec.host?.value ?? "", namespace: rule.metadata.namespace)
      return HostName.covers(name, host) && rule.spec.subsets.contains { $0.name?.value == subset }
    }
    return rule.map {
      "\($0.description) has it, and applies to the namespaces of the instance and of the host, and \(rootNamespace), alone"
    }
  }

  /// The names of a host's subsets.
  func subsets(host: String, serviceNamespace: String) -> [String] {
    rulesFor(host, serviceNamespace).flatMap { $0.spec.subsets.compactMap(\.name?.value) }
  }

  private func apply(base: TrafficPolicy?, port: Int, to effective: inout Effective) {
    guard let base else { return }
    let entry = base.portLevelSettings.first { $0.port?.value == port }?.policy ?? base
    effective.loadBalancer = entry.loadBalancer
    effective.connectionPool = entry.connectionPool
    effective.outlierDetection = entry.outlierDetection
    effective.tls = entry.tls
    // Entries for ports have neither: beside one for this port they are not in force.
    effective.tunnel = entry.tunnel
    effective.proxyProtocol = entry.proxyProtocol?.value
    effective.retryBudget = entry.retryBudget
  }

  /// An entry for the port replaces all four blocks, also by nothing; else each block that the subset has replaces one.
  private func apply(subset: TrafficPolicy, port: Int, to effective: inout Effective) {
    effective.tunnel = subset.tunnel ?? effective.tunnel
    effective.proxyProtocol = subset.proxyProtocol?.value ?? effective.proxyProtocol
    effective.retryBudget = subset.retryBudget ?? effective.retryBudget
    if let entry = subset.portLevelSettings.first(where: { $0.port?.value == port })?.policy {
      effective.loadBalancer = entry.loadBalancer
      effective.connectionPool = entry.connectionPool
      effective.outlierDetection = entry.outlierDetection
      effective.tls = entry.tls
      return
    }
    effective.loadBalancer = subset.loadBalancer ?? effective.loadBalancer
    effective.connectionPool = subset.connectionPool ?? effective.connectionPool
    effective.outlierDetection = subset.outlierDetection ?? effective.outlierDetection
    effective.tls = subset.tls ?? effective.tls
  }

  /// The rules for a host: those of the instance's namespace, else of the service's, else of the root namespace. The
  /// most specific host wins; equal ones of a namespace are merged in their order.
  private func rulesFor(_ host: String, _ serviceNamespace: String) -> [Resource<DestinationRule>] {
    for namespace in [identity.namespace, serviceNamespace, rootNamespace] {
      let candidates = rules.filter { rule in
        rule.metadata.namespace == namespace
          && HostName.covers(expandedHost(rule), host)
          && Visibility.reaches(identity.namespace, from: namespace, rule.spec.exportTo.map(\.value))
      }
      guard let best = candidates.map(expandedHost).min(by: HostName.isMoreSpecific) else { continue }
      return candidates.filter { expandedHost($0) == best }
    }
    return []
  }

  private func expandedHost(_ rule: Resource<DestinationRule>) -> String {
    HostName.expand(rule.spec.host?.value ?? "", namespace: rule.metadata.namespace)
  }
}
