import Resources

/// DestinationRules, or parts of them, that are never in force.
enum TrafficPolicyAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    shadowed(context) + outOfReach(context) + unknownPorts(context)
  }

  private static func host(_ rule: Resource<DestinationRule>) -> String {
    HostName.expand(rule.spec.host?.value ?? "", namespace: rule.metadata.namespace)
  }

  // MARK: SP1057

  /// What is said of a host first wins: rules of one namespace are merged in their order, block by block of the top
  /// level (`mergeDestinationRule`).
  private static func shadowed(_ context: AnalysisContext) -> [Diagnostic] {
    struct First {
      var policy: (rule: Resource<DestinationRule>, location: SourceLocation)?
      var subsets: [String: (rule: Resource<DestinationRule>, location: SourceLocation)] = [:]
    }
    var firsts: [String: First] = [:]
    var diagnostics: [Diagnostic] = []
    for rule in context.resources.destinationRules.sorted(by: { $0.orderKey < $1.orderKey }) {
      // A document that is given twice has its own message.
      let selector = (rule.spec.workloadSelector ?? [:]).map { "\($0.key)=\($0.value.value)" }.sorted()
      let exports = rule.spec.exportTo.map(\.value).sorted()
      let key = "\(rule.metadata.namespace) \(host(rule)) \(selector) \(exports)"
      var first = firsts[key] ?? First()
      let say = {
        (what: String, at: SourceLocation, other: (rule: Resource<DestinationRule>, location: SourceLocation)) in
        guard other.rule.reference != rule.reference else { return }
        diagnostics.append(
          MessageCatalog.finding(
            "SP1057",
            "\(what) is not in force: \(other.rule.description) has one for the host, at \(other.location)", at: at,
            resource: rule.description, help: "make the two DestinationRules one"))
      }
      if let policy = rule.spec.trafficPolicy {
        if let other = first.policy { say("trafficPolicy", policy.location, other) }
        first.policy = first.policy ?? (rule, policy.location)
      }
      for name in rule.spec.subsets.compactMap(\.name) {
        if let other = first.subsets[name.value] { say("subset \(name.value)", name.location, other) }
        first.subsets[name.value] = first.subsets[name.value] ?? (rule, name.location)
      }
      firsts[key] = first
    }
    return diagnostics
  }

  // MARK: SP1058

  /// A gateway looks into its own namespace, that of the service, and the root namespace.
  private static func outOfReach(_ context: AnalysisContext) -> [Diagnostic] {
    guard !context.instances.isEmpty else { return [] }
    let routed = destinations(context)
    let own = Set(context.knownInstances.map(\.namespace) + ["istio-system"])
    return context.resources.destinationRules.compactMap { rule -> Diagnostic? in
      guard let host = rule.spec.host, !own.contains(rule.metadata.namespace) else { return nil }
      let name = Self.host(rule)
      // Who asks for one of its subsets is told so there.
      guard let target = routed[name],
        !rule.spec.subsets.contains(where: { target.subsets.contains($0.name?.value ?? "") })
      else { return nil }
      let homes = target.homes
      guard !homes.isEmpty, !homes.contains(rule.metadata.namespace) else { return nil }
      let list = own.union(homes).sorted().joined(separator: ", ")
      return MessageCatalog.finding(
        "SP1058",
        "\(rule.description) is not in force on a gateway: those of \(host.value) are taken from the namespaces of the instance and of the host, and istio-system",
        at: host.location, resource: rule.description, help: "move it to one of \(list)")
    }
  }

  /// The namespaces of what declares a host.
  private static func namespaces(of host: String, _ context: AnalysisContext) -> [String] {
    let declared = context.entries(host).map(\.namespace)
    guard declared.isEmpty, HostName.isInMesh(host) else { return declared }
    return host.split(separator: ".").dropFirst().first.map { [String($0)] } ?? []
  }

  /// What rules of gateways lead to.
  private struct Target {
    /// The namespaces that declare the host.
    var homes: Set<String> = []
    /// The subsets that rules ask for.
    var subsets: Set<String> = []
  }

  /// The hosts that rules of gateways lead to, and the wildcards above them.
  private static func destinations(_ context: AnalysisContext) -> [String: Target] {
    var result: [String: Target] = [:]
    for service in context.virtualServices where service.spec.gateways.contains(where: { $0.value != "mesh" }) {
      var targets = service.spec.http.flatMap { $0.route.map(\.destination) + $0.mirrors.map(\.destination) }
      targets += service.spec.tls.flatMap { $0.route.map(\.destination) }
      targets += service.spec.tcp.flatMap { $0.route.map(\.destination) }
      for target in targets.compactMap({ $0 }) {
        guard let host = target.host else { continue }
        let name = HostName.expand(host.value, namespace: service.metadata.namespace)
        let subset = target.subset?.value ?? ""
        if let known = result[name], subset.isEmpty || known.subsets.contains(subset) { continue }
        let homes = namespaces(of: name, context)
        for key in [name] + HostIndex.wildcards(above: name) {
          result[key, default: Target()].homes.formUnion(homes)
          if !subset.isEmpty { result[key, default: Target()].subsets.insert(subset) }
        }
      }
    }
    return result
  }

  // MARK: SP1059

  private static func unknownPorts(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.destinationRules.flatMap { rule -> [Diagnostic] in
      let entries = context.entries(host(rule))
      guard !entries.isEmpty else { return [] }
      let known = Set(entries.flatMap { $0.ports.map(\.number) })
      let policies = ([rule.spec.trafficPolicy] + rule.spec.subsets.map(\.trafficPolicy)).compactMap { $0 }
      return policies.flatMap(\.portLevelSettings).compactMap { entry -> Diagnostic? in
        guard let port = entry.port, !known.contains(port.value) else { return nil }
        let list = known.sorted().map(String.init).joined(separator: ", ")
        return MessageCatalog.finding(
          "SP1059",
          "portLevelSettings for port \(port.value) are not in force: \(rule.spec.host?.value ?? "") has port \(list)",
          at: port.location, resource: rule.description,
          help: "the port is the one that rules name, not its targetPort")
      }
    }
  }
}
