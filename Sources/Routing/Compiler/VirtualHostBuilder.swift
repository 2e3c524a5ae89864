import Resources

/// Gathers the virtual hosts of one route configuration: hosts of servers, intersected with those of VirtualServices.
struct VirtualHostBuilder {
  /// A host that is being gathered.
  struct Host {
    var requiresTLS = false
    /// The rules of each VirtualService, in Istio's order.
    var rules: [[RouteBuilder.Draft]] = []
    var services: [String] = []
  }

  private(set) var hosts: [String: Host] = [:]
  private(set) var order: [String] = []
  /// VirtualServices that are bound to a Gateway here, and whether they share a host with this server.
  private(set) var bindings: [(service: Resource<VirtualService>, gateway: String, isMatched: Bool)] = []

  /// Adds one server with the VirtualServices that are bound to its Gateway.
  mutating func add(
    _ server: ListenerBuilder.Server, services: [Resource<VirtualService>], routes: inout RouteBuilder
  ) {
    let redirects = server.server.tls?.httpsRedirect?.value ?? false
    if redirects {
      for host in server.hosts { update(host) { $0.requiresTLS = true } }
    }
    for service in services where Self.isBound(service, to: server.gatewayName) {
      let domains = self.domains(server, service)
      bindings.append((service, server.gatewayName, !domains.isEmpty))
      for domain in domains where !(hosts[domain]?.services.contains(service.reference) ?? false) {
        let drafts = routes.drafts(of: service, gateway: server.gatewayName, declaredPort: server.port)
        update(domain) {
          $0.rules.append(drafts)
          $0.services.append(service.reference)
          $0.requiresTLS = $0.requiresTLS || redirects
        }
      }
    }
  }

  private mutating func update(_ domain: String, _ change: (inout Host) -> Void) {
    if hosts[domain] == nil { order.append(domain) }
    change(&hosts[domain, default: Host()])
  }

  static func isBound(_ service: Resource<VirtualService>, to gateway: String) -> Bool {
    service.spec.gateways.contains {
      GatewayReference.resolve($0.value, namespace: service.metadata.namespace) == gateway
    }
  }

  /// The narrower names of all pairs of a server host and a VirtualService host that overlap.
  private func domains(_ server: ListenerBuilder.Server, _ service: Resource<VirtualService>) -> [String] {
    var domains: [String] = []
    for serverHost in server.server.hosts where Self.accepts(serverHost.value, service, server) {
      let pattern = ListenerBuilder.Server.dnsName(serverHost.value).lowercased()
      for host in service.spec.hosts {
        let name = HostName.expand(host.value, namespace: service.metadata.namespace)
        if let domain = HostName.intersection(pattern, name), !domains.contains(domain) { domains.append(domain) }
      }
    }
    return domains
  }

  /// The namespace part of a server's host limits whose VirtualServices may bind.
  static func accepts(
    _ host: String, _ service: Resource<VirtualService>, _ server: ListenerBuilder.Server
  ) -> Bool {
    guard let slash = host.firstIndex(of: "/") else { return true }
    switch host[..<slash] {
    case "*": return true
    case ".": return service.metadata.namespace == server.gateway.metadata.namespace
    case let namespace: return service.metadata.namespace == namespace
    }
  }

  /// All rules of a host in force: when several VirtualServices share it, rules that match everything go to the end.
  func rules(of domain: String) -> [Rule] {
    guard let host = hosts[domain] else { return [] }
    let drafts = host.rules.flatMap { $0 }
    guard host.rules.count > 1 else { return drafts.map(\.rule) }
    return (drafts.filter { !$0.isCatchAll } + drafts.filter(\.isCatchAll)).map(\.rule)
  }
}
