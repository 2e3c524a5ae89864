import Resources

/// Says why an UpstreamProbe has nothing to ask, where that is a mistake: a host, port or subset that is not there. A host
/// that is there, and that the instance does not route to, is another instance's.
struct ProbeTargets {
  /// What is wrong with a probe.
  struct Problems {
    var diagnostics: [Diagnostic] = []
    /// The probe is meant for this instance: it routes to the host, or is of the probe's namespace where nobody has the
    /// host.
    var isOurs = false
  }

  private let registry: ServiceRegistry
  private let policies: TrafficPolicyResolver
  private let clusters: [Cluster]
  private let identity: InstanceIdentity

  init(clusters: ClusterBuilder, identity: InstanceIdentity) {
    registry = clusters.registry
    policies = clusters.policies
    self.clusters = clusters.clusters
    self.identity = identity
  }

  /// - Parameter host: with its namespace: `web.default.svc.cluster.local`.
  func problems(of probe: Resource<UpstreamProbe>, host: String) -> Problems {
    let routed = clusters.filter { $0.host == host }
    guard let entry = registry.entry(host) ?? registry.hidden.first(where: { $0.host == host }) else {
      return undeclared(probe, host, routed)
    }
    var problems = Problems()
    problems.isOurs = !routed.isEmpty
    if let port = probe.spec.port, !entry.ports.contains(where: { $0.number == port.value }) {
      let known = entry.ports.map { String($0.number) }.joined(separator: ", ")
      problems.diagnostics.append(
        error(
          "Referenced host:port not found: \"\(host):\(port.value)\"", port.location, probe,
          "the host has \(known.isEmpty ? "no ports" : "port \(known)")"))
    }
    // Which DestinationRules count depends on the instance: of those of others nothing is known here.
    if let subset = probe.spec.subset, problems.isOurs || probe.metadata.namespace == identity.namespace,
      case .noSubset(let known) = policies.resolve(
        host: host, serviceNamespace: entry.namespace, port: probe.spec.port?.value ?? 0, subset: subset.value)
    {
      problems.diagnostics.append(missing(subset, host, probe, known))
    }
    return problems
  }

  /// A host of the mesh may be in no Service of the configuration: then routes alone say what it has.
  private func undeclared(
    _ probe: Resource<UpstreamProbe>, _ host: String, _ routed: [Cluster]
  ) -> Problems {
    guard HostName.isInMesh(host) else {
      let written = probe.spec.host?.value ?? host
      let completed = HostName.completions(of: host).first { registry.entry($0) != nil }
      let help =
        completed.map { "did you mean \"\($0)\"? Only a name without a dot is completed" }
        ?? Suggestion.help(for: host, among: registry.hosts) ?? "declare it with a ServiceEntry"
      return Problems(
        diagnostics: [error("Referenced host not found: \"\(written)\"", probe.spec.host?.location, probe, help)],
        isOurs: probe.metadata.namespace == identity.namespace)
    }
    guard !routed.isEmpty else { return Problems() }
    if let subset = probe.spec.subset {
      return Problems(diagnostics: [missing(subset, host, probe, [])], isOurs: true)
    }
    let ports = Set(routed.map(\.settings.port)).sorted().map { "\($0)" }.joined(separator: ", ")
    let warning = MessageCatalog.finding(
      "SP1064", "no rule of the instance leads to \(host):\(probe.spec.port?.value ?? 0): the probe is not run here",
      at: probe.spec.port?.location, resource: probe.description, help: "rules lead to port \(ports)")
    return Problems(diagnostics: [warning], isOurs: false)
  }

  private func missing(
    _ subset: Located<String>, _ host: String, _ probe: Resource<UpstreamProbe>, _ known: [String]
  ) -> Diagnostic {
    error(
      "Referenced host+subset in destinationrule not found: \"\(host)+\(subset.value)\"", subset.location, probe,
      Suggestion.help(for: subset.value, among: known) ?? policies.elsewhere(host: host, subset: subset.value)
        ?? (known.isEmpty ? "the host has no subsets" : "the host has \(known.joined(separator: ", "))"))
  }

  private func error(
    _ message: String, _ location: SourceLocation?, _ probe: Resource<UpstreamProbe>, _ help: String
  ) -> Diagnostic {
    Diagnostic("IST0101", .error, message, at: location, resource: probe.description, help: help)
  }
}
