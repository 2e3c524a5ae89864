import Resources

/// UpstreamProbes that no instance has a use for.
enum ProbeAnalyzer {
  /// SP1064
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    guard !context.resources.probes.isEmpty, !leadsEverywhere(context) else { return [] }
    let routed = destinations(context)
    return context.resources.probes.compactMap { probe in
      guard let host = probe.spec.host else { return nil }
      let name = HostName.expand(host.value, namespace: probe.metadata.namespace)
      // One that nobody declares is an error already.
      let exists = HostName.isInMesh(name) || !context.entries(name).isEmpty
      guard exists, !routed.contains(name) else { return nil }
      return MessageCatalog.finding(
        "SP1064", "no rule leads to \(name): the probe is never run", at: host.location, resource: probe.description,
        help: Suggestion.help(for: name, among: routed.sorted()))
    }
  }

  /// `AUTO_PASSTHROUGH` leads to all services.
  private static func leadsEverywhere(_ context: AnalysisContext) -> Bool {
    context.resources.gateways.contains { gateway in
      gateway.spec.servers.contains { $0.tls?.effectiveMode == .autoPassthrough }
    }
  }

  private static func destinations(_ context: AnalysisContext) -> Set<String> {
    var hosts: Set<String> = []
    for service in context.virtualServices {
      let spec = service.spec
      var all = spec.http.flatMap { $0.route.compactMap(\.destination) + $0.mirrors.compactMap(\.destination) }
      all += (spec.tls.flatMap(\.route) + spec.tcp.flatMap(\.route)).compactMap(\.destination)
      for host in all.compactMap(\.host) {
        hosts.insert(HostName.expand(host.value, namespace: service.metadata.namespace))
      }
    }
    return hosts
  }
}
