import Resources

/// Servers of Gateways: what is behind them, and whether clients reach them.
enum GatewayAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    let all = context.instances.flatMap { instance in
      let gateways = context.gateways(of: instance)
      return duplicateCertificates(gateways) + ports(instance, gateways, context) + redirects(gateways)
    }
    return all.filter { seen.insert($0).inserted } + withoutRoutes(context)
  }

  /// IST0138
  private static func duplicateCertificates(_ gateways: [Resource<Gateway>]) -> [Diagnostic] {
    var users: [String: Resource<Gateway>] = [:]
    var diagnostics: [Diagnostic] = []
    for gateway in gateways {
      for tls in gateway.spec.servers.compactMap(\.tls) {
        let names = [tls.credentialName, tls.files.serverCertificate].compactMap { $0 } + tls.credentialNames
        for name in names {
          guard let other = users[name.value] else {
            users[name.value] = gateway
            continue
          }
          guard other.reference != gateway.reference else { continue }
          diagnostics.append(
            MessageCatalog.finding(
              "IST0138",
              "Duplicate certificate in multiple gateways [\(other.reference) \(gateway.reference)] may cause 404s if clients re-use HTTP2 connections.",
              at: name.location, resource: gateway.description))
        }
      }
    }
    return diagnostics
  }

  /// IST0162
  private static func ports(
    _ instance: InstanceIdentity, _ gateways: [Resource<Gateway>], _ context: AnalysisContext
  ) -> [Diagnostic] {
    let services = context.resources.services.filter {
      $0.metadata.namespace == instance.namespace && !$0.spec.selector.isEmpty && instance.matches($0.spec.selector)
    }
    let component = services.isEmpty ? InstancePorts(context.resources, instance).ofComponents : nil
    guard !services.isEmpty || component != nil else { return [] }
    let known = component?.ports ?? Set(services.flatMap { $0.spec.ports.map(\.port) })
    let names = component?.description ?? "Service \(services.map(\.reference).joined(separator: ", "))"
    return gateways.flatMap { gateway in
      gateway.spec.servers.compactMap { server -> Diagnostic? in
        guard let port = server.port?.number, port.value != 0, !known.contains(port.value) else { return nil }
        let selector = gateway.spec.selector.map { "\($0.key)=\($0.value.value)" }.sorted().joined(separator: ",")
        let list = known.sorted().map(String.init).joined(separator: ", ")
        return MessageCatalog.finding(
          "IST0162",
          "The gateway is listening on a target port (port \(port.value)) that is not defined in the Service associated with its workload instances (Pod selector \(selector)). If you need to access the gateway port through the gateway Service, it will not be available.",
          at: port.location, resource: gateway.description,
          help: "\(names) has \(list.isEmpty ? "no ports" : list)")
      }
    }
  }

  /// SP1035
  private static func redirects(_ gateways: [Resource<Gateway>]) -> [Diagnostic] {
    let secured = gateways.flatMap(\.spec.servers).filter { $0.port?.protocolKind == .https }
      .flatMap { $0.hosts.map { ListenerBuilder.Server.dnsName($0.value).lowercased() } }
    return gateways.flatMap { gateway in
      gateway.spec.servers.filter { $0.tls?.httpsRedirect?.value ?? false }.flatMap { server in
        server.hosts.compactMap { host -> Diagnostic? in
          let name = ListenerBuilder.Server.dnsName(host.value).lowercased()
          guard !secured.contains(where: { HostName.intersection($0, name) != nil }) else { return nil }
          return MessageCatalog.finding(
            "SP1035", "\(host.value) is redirected to HTTPS, and no server of the instance has it with TLS",
            at: host.location, resource: gateway.description)
        }
      }
    }
  }

  /// SP1034
  private static func withoutRoutes(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.gateways.flatMap { gateway in
      let services = context.virtualServices.filter { context.isBound($0, to: gateway) }
      let bound = services.flatMap { service in
        service.spec.hosts.map { HostName.expand($0.value, namespace: service.metadata.namespace) }
      }
      return gateway.spec.servers.filter(needsRoutes).flatMap { server in
        server.hosts.compactMap { host -> Diagnostic? in
          let name = ListenerBuilder.Server.dnsName(host.value).lowercased()
          guard !bound.contains(where: { HostName.intersection($0, name) != nil }) else { return nil }
          return MessageCatalog.finding(
            "SP1034", "no VirtualService serves \(host.value) here: its requests get 404", at: host.location,
            resource: gateway.description)
        }
      }
    }
  }

  /// A server that only redirects needs none; without HTTP there is no 404.
  private static func needsRoutes(_ server: GatewayServer) -> Bool {
    guard let kind = server.port?.protocolKind, !(server.tls?.httpsRedirect?.value ?? false) else { return false }
    if kind.isHTTP { return true }
    let mode = server.tls?.effectiveMode ?? .passthrough
    return kind == .https && mode != .passthrough && mode != .autoPassthrough
  }
}
