import Resources

/// Turns servers that do not lead to HTTP into filter chains with routes: plaintext TCP, TLS that is terminated to TCP,
/// `PASSTHROUGH` and `AUTO_PASSTHROUGH`.
struct TCPChainBuilder {
  let services: [Resource<VirtualService>]
  private(set) var diagnostics: [Diagnostic] = []
  /// VirtualServices that are bound to a Gateway here, and whether they share a name with this server.
  private(set) var bindings: [(service: Resource<VirtualService>, gateway: String, isMatched: Bool)] = []

  /// A server with the VirtualServices that are bound to it and have rules of other kinds than it looks at.
  private struct Idle {
    let server: ListenerBuilder.Server
    /// `tls`, `tcp`
    let wanted: String
    let services: [Resource<VirtualService>]
    /// No VirtualService has a route for the server.
    let isServerEmpty: Bool
  }

  private var idle: [Idle] = []

  init(services: [Resource<VirtualService>]) {
    self.services = services
  }

  /// The routes of a server that hands bytes on as they are after the handshake, if any. As in Istio no host is compared:
  /// the server has none.
  mutating func tcpRoutes(_ server: ListenerBuilder.Server, _ routes: inout RouteBuilder) -> TCPProxyRouteList {
    var drafts: [RouteBuilder.TCPDraft] = []
    var others: [Resource<VirtualService>] = []
    for service in services where VirtualHostBuilder.isBound(service, to: server.gatewayName) {
      let found = routes.tcpDrafts(of: service, gateway: server.gatewayName, port: server.port)
      if !found.isEmpty { bindings.append((service, server.gatewayName, true)) }
      if service.spec.tcp.isEmpty { others.append(service) }
      drafts += found
    }
    close(server, wanted: "tcp", isEmpty: drafts.isEmpty, others)
    return routes.store(drafts)
  }

  /// A chain for each server name of the `tls` routes.
  mutating func addPassthrough(_ server: ListenerBuilder.Server, listener: Int32, _ routes: inout RouteBuilder) {
    var names: [String] = []
    var drafts: [String: [RouteBuilder.TCPDraft]] = [:]
    var others: [Resource<VirtualService>] = []
    for service in services where VirtualHostBuilder.isBound(service, to: server.gatewayName) {
      let found = routes.tlsDrafts(of: service, gateway: server.gatewayName, port: server.port)
      if service.spec.tls.isEmpty, sharesHost(service, server) { others.append(service) }
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
    close(server, wanted: "tls", isEmpty: names.isEmpty, others)
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

  // MARK: Findings

  private func sharesHost(_ service: Resource<VirtualService>, _ server: ListenerBuilder.Server) -> Bool {
    server.server.hosts.contains { host in
      let pattern = ListenerBuilder.Server.dnsName(host.value).lowercased()
      return VirtualHostBuilder.accepts(host.value, service, server)
        && service.spec.hosts.contains { HostName.intersection(pattern, $0.value.lowercased()) != nil }
    }
  }

  private mutating func close(
    _ server: ListenerBuilder.Server, wanted: String, isEmpty: Bool, _ others: [Resource<VirtualService>]
  ) {
    idle.append(Idle(server: server, wanted: wanted, services: others, isServerEmpty: isEmpty))
  }

  private mutating func report(
    _ server: ListenerBuilder.Server, _ reason: String, help: String = "connections to it are closed"
  ) {
    diagnostics.append(
      Diagnostic(
        "SP1053", .warning, "\(server.text) serves nothing: \(reason)", at: server.server.location,
        resource: server.gateway.description, help: help))
  }

  /// Says which servers nothing leads on from, and which VirtualServices have only rules that their servers do not look
  /// at: these once, with all such servers.
  ///
  /// - Parameter used: the VirtualServices (`namespace/name`) some of whose rules are in use.
  mutating func reportIdle(used: Set<String>) {
    var order: [Resource<VirtualService>] = []
    var byService: [String: [Idle]] = [:]
    for entry in idle {
      let unused = entry.services.filter { !used.contains($0.reference) }
      for service in unused {
        if byService[service.reference] == nil { order.append(service) }
        byService[service.reference, default: []].append(entry)
      }
      guard entry.isServerEmpty, unused.isEmpty else { continue }
      let others = entry.services.map { "; \(Self.kinds(of: $0)) rules of \($0.description) have no effect there" }
      report(
        entry.server, "no VirtualService has a \(entry.wanted) route for it",
        help: "connections to it are closed" + others.joined())
    }
    for service in order {
      let entries = byService[service.reference] ?? []
      for wanted in ["tls", "tcp"] {
        let servers = entries.filter { $0.wanted == wanted }
        if !servers.isEmpty { diagnostics.append(Self.finding(service, servers, wanted)) }
      }
    }
  }

  private static func finding(_ service: Resource<VirtualService>, _ entries: [Idle], _ wanted: String) -> Diagnostic {
    let servers = entries.map(\.server.text).joined(separator: ", ")
    let why = wanted == "tls" ? "TLS is passed through" : "bytes are handed on as they are"
    let consequence = entries.contains(where: \.isServerEmpty) ? ": connections to it are closed" : ""
    let spec = service.spec
    let place = spec.http.first?.location ?? spec.tls.first?.location ?? spec.tcp.first?.location
    return Diagnostic(
      "SP1053", .warning,
      "\(service.description) has no \(wanted) rule for \(servers), and \(kinds(of: service)) rules have no effect where \(why)\(consequence)",
      at: place ?? service.location, resource: service.description,
      help: wanted == "tls"
        ? "write a tls rule with sniHosts, or let the server end TLS with tls.mode SIMPLE"
        : "write a tcp rule, or give the port the protocol HTTP")
  }

  /// `http`, `http and tls`
  private static func kinds(of service: Resource<VirtualService>) -> String {
    let spec = service.spec
    let given = [("http", !spec.http.isEmpty), ("tls", !spec.tls.isEmpty), ("tcp", !spec.tcp.isEmpty)]
    return given.filter(\.1).map(\.0).joined(separator: " and ")
  }
}
