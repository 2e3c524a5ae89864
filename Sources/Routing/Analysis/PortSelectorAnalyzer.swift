import Resources

/// IST0112 for every destination without a port whose host has several. Where one of them is that of the listener, it
/// serves; another listener of the same rule, or another order of ports, and it does not.
enum PortSelectorAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service -> [Diagnostic] in
      var targets = service.spec.http.flatMap { $0.route.map(\.destination) + $0.mirrors.map(\.destination) }
      targets += service.spec.tls.flatMap { $0.route.map(\.destination) }
      targets += service.spec.tcp.flatMap { $0.route.map(\.destination) }
      return targets.compactMap { target -> Diagnostic? in
        guard let target, target.port == nil, let host = target.host else { return nil }
        let name = HostName.expand(host.value, namespace: service.metadata.namespace)
        guard let entry = context.entries(name).first, entry.ports.count > 1 else { return nil }
        return MessageCatalog.finding(
          "IST0112", ClusterBuilder.ambiguousPort(entry), at: host.location, resource: service.description)
      }
    }
  }
}
