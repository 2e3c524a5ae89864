import Resources

/// The Gateways that rules are for, with what is known of them before any request comes.
struct GatewayRules {
  /// Conditions of a match that are known when the configuration is compiled, of any kind of rule.
  struct Entry {
    let service: Resource<VirtualService>
    let conditions: RuleScope.Conditions
    /// The match of an `http` rule.
    let http: HTTPMatch?
    /// The Gateways that it is for, by reference; without `mesh`.
    let gateways: [Resource<Gateway>]
  }

  /// Every match of VirtualServices that is for Gateways alone, and all of those exist: what holds nowhere there holds
  /// nowhere.
  static func entries(_ context: AnalysisContext) -> [Entry] {
    context.virtualServices.flatMap { service -> [Entry] in
      var all: [(RuleScope.Conditions, HTTPMatch?)] = []
      for match in service.spec.http.flatMap(\.match) { all.append((RuleScope.Conditions(match), match)) }
      for match in service.spec.tls.flatMap(\.match) { all.append((RuleScope.Conditions(match), nil)) }
      for match in service.spec.tcp.flatMap(\.match) { all.append((RuleScope.Conditions(match), nil)) }
      return all.compactMap { conditions, match in
        let named = conditions.gateways.isEmpty ? service.spec.gateways : conditions.gateways
        let gateways = named.compactMap { context.gateway($0.value, from: service.metadata.namespace) }
        guard !named.isEmpty, gateways.count == named.count else { return nil }
        return Entry(service: service, conditions: conditions, http: match, gateways: gateways)
      }
    }
  }

  /// Servers that read requests and not connections.
  static func readsRequests(_ server: GatewayServer) -> Bool {
    guard let kind = server.port?.protocolKind else { return false }
    return kind.isHTTP || terminatesTLS(server)
  }

  /// Servers of HTTPS that end TLS.
  static func terminatesTLS(_ server: GatewayServer) -> Bool {
    guard server.port?.protocolKind == .https else { return false }
    let mode = server.tls?.effectiveMode ?? .passthrough
    return mode != .passthrough && mode != .autoPassthrough
  }

  /// The hosts of a server, without namespaces.
  static func hosts(_ server: GatewayServer) -> [String] {
    server.hosts.map { ListenerBuilder.Server.dnsName($0.value).lowercased() }
  }
}
