import Resources

/// Hosts, subsets and verification of DestinationRules.
enum DestinationRuleAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.destinationRules.flatMap { rule in
      unknownHost(rule, context) + emptySubsets(rule, context) + unverified(rule)
    }
  }

  /// IST0174. A host of the mesh may be known to the name service alone, where no Service is in the configuration.
  private static func unknownHost(_ rule: Resource<DestinationRule>, _ context: AnalysisContext) -> [Diagnostic] {
    guard let host = rule.spec.host, !host.value.hasPrefix("*") else { return [] }
    let name = HostName.expand(host.value, namespace: rule.metadata.namespace)
    guard context.entries(name).isEmpty else { return [] }
    let known = context.knownHosts
    if known.contains(where: { $0.hasPrefix("*") && HostName.covers($0, name) }) { return [] }
    let namespace = name.split(separator: ".").dropFirst().first.map(String.init)
    let hasServices = context.resources.services.contains { $0.metadata.namespace == namespace }
    if HostName.isInMesh(name), !hasServices { return [] }
    return [
      MessageCatalog.finding(
        "IST0174", "The host \(host.value) defined in the DestinationRule does not match any services in the mesh.",
        at: host.location, resource: rule.description, help: Suggestion.help(for: name, among: known))
    ]
  }

  /// IST0173, where the labels of endpoints are known: those of ServiceEntries.
  private static func emptySubsets(_ rule: Resource<DestinationRule>, _ context: AnalysisContext) -> [Diagnostic] {
    let name = HostName.expand(rule.spec.host?.value ?? "", namespace: rule.metadata.namespace)
    var diagnostics: [Diagnostic] = []
    for entry in context.entries(name) {
      guard case .entry(let resource) = entry.origin else { continue }
      let all = labels(of: resource, context)
      for subset in rule.spec.subsets where !subset.labels.isEmpty {
        let wanted = subset.labels.mapValues(\.value)
        guard !all.contains(where: { labels in wanted.allSatisfy { labels[$0.key] == $0.value } }) else { continue }
        let place = subset.labels.values.map(\.location).min { ($0.line, $0.column) < ($1.line, $1.column) }
        diagnostics.append(
          MessageCatalog.finding(
            "IST0173",
            "The Subset \(subset.name?.value ?? "") defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream).",
            at: place,
            resource: rule.description,
            help: all.isEmpty
              ? "ServiceEntry \(resource.reference) has no endpoints with labels: remove the labels"
              : "no endpoint of ServiceEntry \(resource.reference) has these labels"))
      }
    }
    return diagnostics
  }

  private static func labels(of entry: Resource<ServiceEntry>, _ context: AnalysisContext) -> [[String: String]] {
    guard let selector = entry.spec.workloadSelector?.mapValues(\.value) else {
      return entry.spec.endpoints.map(\.labels).filter { !$0.isEmpty }
    }
    return context.resources.workloadEntries.filter { $0.metadata.namespace == entry.metadata.namespace }
      .map { $0.spec.labels.merging($0.metadata.labels) { first, _ in first } }
      .filter { labels in selector.allSatisfy { labels[$0.key] == $0.value } }
  }

  /// IST0128, IST0129
  private static func unverified(_ rule: Resource<DestinationRule>) -> [Diagnostic] {
    let policies = ([rule.spec.trafficPolicy] + rule.spec.subsets.map(\.trafficPolicy)).compactMap { $0 }
    let ports = policies.flatMap(\.portLevelSettings)
    return policies.compactMap { unverified($0.tls, "IST0128", "", rule) }
      + ports.compactMap { unverified($0.policy.tls, "IST0129", " at port \($0.port?.value ?? 0)", rule) }
  }

  private static func unverified(
    _ tls: ClientTLSSettings?, _ code: String, _ place: String, _ rule: Resource<DestinationRule>
  ) -> Diagnostic? {
    guard let tls, let skip = tls.insecureSkipVerify, skip.value, tls.effectiveMode != .disable else { return nil }
    return MessageCatalog.finding(
      code,
      "DestinationRule \(rule.metadata.name) in namespace \(rule.metadata.namespace) has TLS mode set to \(tls.effectiveMode.rawValue) but no caCertificates are set to validate server identity for host: \(rule.spec.host?.value ?? "")\(place)",
      at: skip.location, resource: rule.description,
      help: "insecureSkipVerify turns the verification off: remove it, the system's roots are the default")
  }
}
