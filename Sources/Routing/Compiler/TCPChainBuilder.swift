import Resources

/// Turns servers that do not lead to HTTP into filter chains with routes: plaintext TCP, TLS that is terminated to TCP,
/// `PASSTHROUGH` and `AUTO_PASSTHROUGH`.
struct TCPChainBuilder {
  let services: [Resource<VirtualService>]
  private(set) var diagnostics: [Diagnostic] = []
  /// VirtualServices that are bound to a Gateway here, and whether they share a name with this server.
  private(set) var bindings: [(service: Resource<VirtualService>, gateway: String, isMatched: Bool)] = []

  init(services: [Resource<VirtualService>]) {
    self.services = services
  }

  /// The routes of a server that hands bytes on as they are after the handshake, if any. As in Istio no host is compared:
  /// the server has none.
  mutating func tcpRoutes(_ server: ListenerBuilder.Server, _ routes: inout RouteBuilder) -> TCPProxyRouteList {
    var drafts: [RouteBuilder.TCPDraft] = []
    for service in services where VirtualHostBuilder.isBound(service, to: server.gatewayName) {
      let found = routes.tcpDrafts(of: service, gateway: server.gatewayName, port: server.port)
      if !found.isEmpty { bindings.append((service, server.gatewayName, true)) }
      drafts += found
    }
    if drafts.isEmpty { report(server, "no VirtualService has a tcp route for it") }
    return routes.store(drafts)
  }

  /// A chain for each server name of the `tls` routes.
  mutating func addPassthrough(_ server: ListenerBuilder.Server, listener: Int32, _ routes: inout RouteBuilder) {
    var names: [String] = []
    var drafts: [String: [RouteBuilder.TCPDraft]] = [:]
    for service in services where VirtualHostBuilder.isBound(service, to: server.gatewayName) {
      let found = routes.tlsDrafts(of: service, gateway: server.gatewayName, port: server.port)
      guard !found.isEmpty else { continue }
      var isMatched = false
      for draft in found {
        for name in serverNames(draft, service, server) {
          isMatched = true
          if drafts[name] == nil { names.append(name) }
          drafts[name, default: []].append(draft)
        }
      }
      bindings.append((service, server.gatewayName, isMatched))
    }
    if names.isEmpty { report(server, "no VirtualService has a tls route for it") }
    for name in names {
      addChain(server, listener, [name], routes.store(drafts[name] ?? []), &routes)
    }
  }

  /// The names of a rule that the server has, the narrower one where they overlap.
  private func serverNames(
    _ draft: RouteBuilder.TCPDraft, _ service: Resource<VirtualService>, _ server: ListenerBuilder.Server
  ) -> [String] {
    var names: [String] = []
    for host in server.server.hosts where VirtualHostBuilder.accepts(host.value, service, server) {
      let pattern = ListenerBuilder.Server.dnsName(host.value).lowercased()
      for name in draft.serverNames {
        if let both = HostName.intersection(pattern, name), !names.contains(both) { names.append(both) }
      }
    }
    return names
  }

  /// A chain for each port and subset of the mesh's services among the server's hosts.
  mutating func addAutoPassthrough(_ server: ListenerBuilder.Server, listener: Int32, _ routes: inout RouteBuilder) {
    let found = routes.clusters.sniClusters(covering: server.hosts, resource: server.gateway.description)
    if found.isEmpty { report(server, "no service of the mesh is among its hosts") }
    for (name, cluster) in found where cluster >= 0 {
      let list = routes.store([routes.tcpDraft(to: cluster, serverName: name)])
      addChain(server, listener, [name], list, &routes, requiresIstioProtocol: true)
    }
  }

  private func addChain(
    _ server: ListenerBuilder.Server, _ listener: Int32, _ names: [String], _ list: TCPProxyRouteList,
    _ routes: inout RouteBuilder, requiresIstioProtocol: Bool = false
  ) {
    routes.parts.filterChains.append(
      FilterChain(
        network: .passthrough, listener: listener, policy: -1, routeConfiguration: -1, tcpRoutes: list,
        requiresIstioProtocol: requiresIstioProtocol))
    routes.parts.chainFacts.append(FilterChainFacts(serverNames: names, server: server.text))
  }

  private mutating func report(_ server: ListenerBuilder.Server, _ reason: String) {
    diagnostics.append(
      Diagnostic(
        "SP1053", .warning, "\(server.text) serves nothing: \(reason)", at: server.server.location,
        resource: server.gateway.description, help: "connections to it are closed"))
  }
}
