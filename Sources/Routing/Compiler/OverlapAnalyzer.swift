import Resources

/// Findings that need several resources at once: references that lead nowhere, and the traps of Istio's semantics.
package enum OverlapAnalyzer {
  /// All findings for one instance.
  static func analyze(_ resources: ResourceSet, identity: InstanceIdentity, clusters: ClusterBuilder) -> [Diagnostic] {
    lostPolicies(resources) + namePolicies(resources, clusters) + PolicyEnforcement.findings(resources, identity)
  }

  /// Findings that hold whatever the instance: references to Gateways, selectors without an instance.
  package static func references(_ resources: ResourceSet, instances: [InstanceIdentity]) -> [Diagnostic] {
    gatewayReferences(resources) + selectors(resources, instances)
  }

  private static func gatewayReferences(_ resources: ResourceSet) -> [Diagnostic] {
    let known = Set(resources.gateways.map(\.reference))
    var diagnostics: [Diagnostic] = []
    for service in resources.virtualServices {
      var inMatches = service.spec.http.flatMap { $0.match.flatMap(\.gateways) }
      inMatches += service.spec.tls.flatMap { $0.match.flatMap(\.gateways) }
      inMatches += service.spec.tcp.flatMap { $0.match.flatMap(\.gateways) }
      for reference in service.spec.gateways + inMatches {
        let name = GatewayReference.resolve(reference.value, namespace: service.metadata.namespace)
        guard name != "mesh", !known.contains(name) else { continue }
        diagnostics.append(
          Diagnostic(
            "IST0101", .error,
            "\(service.description) refers to gateway \"\(reference.value)\", which does not exist",
            at: reference.location, resource: service.description,
            help: elsewhere(name, known) ?? Suggestion.help(for: name, among: known.sorted())))
      }
    }
    return diagnostics
  }

  /// The Gateway of that name in another namespace: a name without one means that of the VirtualService.
  private static func elsewhere(_ reference: String, _ known: Set<String>) -> String? {
    let name = reference.split(separator: "/").last.map { "/\($0)" } ?? reference
    return known.sorted().first { $0.hasSuffix(name) }.map { "it is in another namespace: write \"\($0)\"" }
  }

  private static func selectors(_ resources: ResourceSet, _ instances: [InstanceIdentity]) -> [Diagnostic] {
    guard !instances.isEmpty else { return [] }
    return resources.gateways.compactMap { gateway in
      let selector = gateway.spec.selector.mapValues(\.value)
      guard !instances.contains(where: { $0.matches(selector) }) else { return nil }
      let text = selector.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
      let wrong = wrongLabel(selector, instances)
      let place = wrong.flatMap { gateway.spec.selector[$0.key]?.location } ?? gateway.location
      let values = wrong.map { wrong in instances.compactMap { $0.labels[wrong.key] } } ?? []
      return Diagnostic(
        "IST0101", .error, "Referenced selector not found: \"\(text)\": no instance has these labels", at: place,
        resource: gateway.description, help: wrong.flatMap { Suggestion.help(for: $0.value, among: values) })
    }
  }

  /// The label that keeps the nearest instance from being selected: that which has the most of the others.
  private static func wrongLabel(
    _ selector: [String: String], _ instances: [InstanceIdentity]
  ) -> (key: String, value: String)? {
    let missing = instances.map { instance in
      selector.filter { instance.labels[$0.key] != $0.value }.sorted { $0.key < $1.key }
    }
    return missing.min { $0.count < $1.count }?.first.map { ($0.key, $0.value) }
  }

  /// A port-level entry replaces its siblings wholesale: what stands beside it is lost for that port.
  private static func lostPolicies(_ resources: ResourceSet) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    for rule in resources.destinationRules {
      let policies = [rule.spec.trafficPolicy] + rule.spec.subsets.map(\.trafficPolicy)
      for policy in policies.compactMap({ $0 }) {
        for entry in policy.portLevelSettings {
          var lost: [String] = []
          if policy.loadBalancer != nil, entry.policy.loadBalancer == nil { lost.append("loadBalancer") }
          if policy.connectionPool != nil, entry.policy.connectionPool == nil { lost.append("connectionPool") }
          if policy.tls != nil, entry.policy.tls == nil { lost.append("tls") }
          guard !lost.isEmpty, let port = entry.port else { continue }
          diagnostics.append(
            Diagnostic(
              "SP1010", .info,
              "portLevelSettings for port \(port.value) replace their siblings: \(lost.joined(separator: ", ")) beside them \(lost.count == 1 ? "is" : "are") not in force on this port",
              at: port.location, resource: rule.description,
              help: "repeat \(lost.joined(separator: ", ")) inside the entry"))
        }
      }
    }
    return diagnostics
  }

  /// Where the downstream Host is not the upstream's host, Istio would verify the certificate against the wrong name.
  private static func namePolicies(_ resources: ResourceSet, _ clusters: ClusterBuilder) -> [Diagnostic] {
    let inferred = clusters.clusters.filter {
      $0.settings.isExternal && clusters.inferredNames.contains($0.name)
    }
    guard !inferred.isEmpty else { return [] }
    return resources.virtualServices.flatMap { service in
      service.spec.http.filter { $0.rewrite?.authority == nil }.flatMap { route in
        route.route.compactMap { $0.destination.flatMap { namePolicy($0, of: service, inferred) } }
      }
    }
  }

  /// What is true of the very cluster that a destination means: its host, subset and port.
  private static func namePolicy(
    _ target: RouteDestination.Destination, of service: Resource<VirtualService>, _ inferred: [Cluster]
  ) -> Diagnostic? {
    guard let host = target.host else { return nil }
    let name = HostName.expand(host.value, namespace: service.metadata.namespace)
    let cluster = inferred.first {
      $0.host == name && $0.settings.subset == target.subset?.value ?? ""
        && target.port.map { [port = $0.settings.port] in Int(port) == $0.value } ?? true
    }
    guard let verified = cluster?.settings.tls?.verifiedHost,
      !service.spec.hosts.contains(where: { HostName.covers($0.value.lowercased(), name) })
    else { return nil }
    return Diagnostic(
      "SP1013", .info,
      "requests for \(service.spec.hosts.first?.value ?? "") go to \(name): the server name and the verified name are \"\(verified)\", the Host stays as it came",
      at: host.location, resource: service.description,
      help: "set tls.sni in the DestinationRule or rewrite.authority in the VirtualService to say otherwise")
  }
}
