import Resources

/// Rules whose destination speaks TLS where they do not, or the reverse.
enum UpstreamTLSAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    var seen: Set<Diagnostic> = []
    for instance in context.instances {
      let policies = TrafficPolicyResolver(context.resources, for: instance)
      let services = context.gateways(of: instance).flatMap { gateway in
        context.virtualServices.filter { context.isBound($0, to: gateway) }
      }
      for service in services {
        for target in service.spec.http.flatMap(\.route).compactMap(\.destination) {
          if let found = check(target, service, policies, context), seen.insert(found).inserted {
            diagnostics.append(found)
          }
        }
      }
    }
    return diagnostics
  }

  private static func check(
    _ target: RouteDestination.Destination, _ service: Resource<VirtualService>, _ policies: TrafficPolicyResolver,
    _ context: AnalysisContext
  ) -> Diagnostic? {
    guard let host = target.host else { return nil }
    let name = HostName.expand(host.value, namespace: service.metadata.namespace)
    guard let entry = context.entries(name).first,
      let port = entry.ports.first(where: {
        target.port == nil ? entry.ports.count == 1 : $0.number == target.port?.value
      })
    else { return nil }
    let outcome = policies.resolve(
      host: name, serviceNamespace: entry.namespace, port: port.number, subset: target.subset?.value ?? "")
    guard case .policy(let policy) = outcome else { return nil }
    let mode = policy.tls?.effectiveMode ?? .disable
    if mode == .simple || mode == .mutual, let tls = policy.tls {
      return plaintextPort(tls, port, name, policy.rule)
    }
    if mode != .disable || hasStrayTLS(policy.rule, entry) { return nil }
    return tlsPort(target, port, name, service)
  }

  /// TLS for a port that the host does not have is a mistake of its own (SP1059), and this is what comes of it.
  private static func hasStrayTLS(_ rule: Resource<DestinationRule>?, _ entry: ServiceRegistry.Entry) -> Bool {
    guard let rule else { return false }
    let policies = ([rule.spec.trafficPolicy] + rule.spec.subsets.map(\.trafficPolicy)).compactMap { $0 }
    let isOwn = HostName.expand(rule.spec.host?.value ?? "", namespace: rule.metadata.namespace) == entry.host
    return isOwn
      && policies.flatMap(\.portLevelSettings).contains { setting in
        setting.policy.tls != nil && !entry.ports.contains { $0.number == setting.port?.value }
      }
  }

  /// SP1032: port 80, or one that is declared plaintext, is where TLS begins only if `targetPort` leads elsewhere.
  private static func plaintextPort(
    _ tls: ClientTLSSettings, _ port: ServiceRegistry.Port, _ host: String, _ rule: Resource<DestinationRule>?
  ) -> Diagnostic? {
    let target = port.targetPort ?? port.number
    let declared = kind(port)
    let isPlaintext = target == 80 || (target == 8080 && declared?.isHTTP == true && port.targetPort == nil)
    guard isPlaintext else { return nil }
    return MessageCatalog.finding(
      "SP1032",
      "TLS is originated to \(host):\(port.number)\(port.targetPort.map { " (targetPort \($0))" } ?? ""), which is a plaintext port",
      at: tls.mode?.location ?? tls.location, resource: rule?.description,
      help: "send to the TLS port of the host, or give the port targetPort 443")
  }

  /// SP1033
  private static func tlsPort(
    _ target: RouteDestination.Destination, _ port: ServiceRegistry.Port, _ host: String,
    _ service: Resource<VirtualService>
  ) -> Diagnostic? {
    guard let kind = kind(port), kind == .https || kind == .tls else { return nil }
    return MessageCatalog.finding(
      "SP1033", "requests go in plaintext to \(host):\(port.number), which is declared \(kind.rawValue)",
      at: target.port?.location ?? target.host?.location, resource: service.description,
      help: "add a DestinationRule for \"\(host)\" with tls.mode SIMPLE")
  }

  /// The protocol of a port: declared, or by the name of a Service's port (`https-web`).
  private static func kind(_ port: ServiceRegistry.Port) -> PortProtocol? {
    let name = port.protocolName
    return PortProtocol(name: name) ?? name.split(separator: "-").first.flatMap { PortProtocol(name: String($0)) }
  }
}
