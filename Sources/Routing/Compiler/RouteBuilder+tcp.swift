import Resources
import Wire

/// `tcp` and `tls` rules: bytes to a cluster, without looking at them.
extension RouteBuilder {
  /// A rule before it has a place in a listener or chain.
  struct TCPDraft {
    let route: TCPProxyRoute
    let facts: TCPProxyRouteFacts
    /// The names that the client must ask for, in lower case; empty for `tcp` rules.
    let serverNames: [String]
  }

  /// The `tcp` rules that a VirtualService gives for a Gateway and port, in order.
  mutating func tcpDrafts(of service: Resource<VirtualService>, gateway: String, port: Int) -> [TCPDraft] {
    var drafts: [TCPDraft] = []
    for rule in service.spec.tcp {
      let matches = rule.match.isEmpty ? [nil] : rule.match.map { Optional($0) }
      for match in matches {
        let applies = applies(match.map(RuleScope.Conditions.init), service, gateway, port)
        guard applies else { continue }
        let source = match?.sourceSubnet.map { [$0] } ?? []
        let route = tcpRoute(rule.route, service, port, to: match?.destinationSubnets ?? [], from: source)
        drafts.append(draft(route, service, match?.location ?? rule.location, []))
      }
    }
    return drafts
  }

  /// The `tls` rules that a VirtualService gives for a Gateway and port, in order.
  mutating func tlsDrafts(of service: Resource<VirtualService>, gateway: String, port: Int) -> [TCPDraft] {
    var drafts: [TCPDraft] = []
    for rule in service.spec.tls {
      for match in rule.match {
        let applies = applies(RuleScope.Conditions(match), service, gateway, port)
        guard applies else { continue }
        let route = tcpRoute(rule.route, service, port, to: match.destinationSubnets, from: [])
        drafts.append(draft(route, service, match.location, match.sniHosts.map { $0.value.lowercased() }))
      }
    }
    return drafts
  }

  private func draft(
    _ route: TCPProxyRoute, _ service: Resource<VirtualService>, _ location: SourceLocation, _ names: [String]
  ) -> TCPDraft {
    TCPDraft(
      route: route, facts: .init(virtualService: service.reference, location: "\(location)"), serverNames: names)
  }

  private func applies(
    _ match: RuleScope.Conditions?, _ service: Resource<VirtualService>, _ gateway: String, _ port: Int
  ) -> Bool {
    RuleScope.failure(of: match, in: service, gateway: gateway, port: port, identity: identity) == nil
  }

  private mutating func tcpRoute(
    _ destinations: [RouteDestination], _ service: Resource<VirtualService>, _ port: Int, to: [Located<String>],
    from: [Located<String>]
  ) -> TCPProxyRoute {
    var route = TCPProxyRoute(
      firstDestination: Int32(parts.destinations.count), destinationCount: 0, totalWeight: 0)
    for destination in destinations {
      let weight = destinations.count == 1 ? 100 : destination.weight?.value ?? 0
      guard weight > 0, let target = destination.destination, let host = target.host else { continue }
      let cluster = clusters.cluster(
        for: .init(
          host: host, port: target.port, subset: target.subset, namespace: service.metadata.namespace,
          listenerPort: port, resource: service.description))
      add(cluster: cluster, weight: UInt32(clamping: weight), to: &route)
    }
    // Everything had weight 0: as good as an unknown cluster.
    if route.destinationCount == 0 { add(cluster: -1, weight: 1, to: &route) }
    (route.firstDestinationSubnet, route.destinationSubnetCount) = store(subnets: to)
    (route.firstSourceSubnet, route.sourceSubnetCount) = store(subnets: from)
    return route
  }

  private mutating func add(cluster: Int32, weight: UInt32, to route: inout TCPProxyRoute) {
    parts.destinations.append(
      Destination(cluster: cluster, weight: weight, requestHeaders: -1, responseHeaders: -1))
    route.destinationCount += 1
    route.totalWeight = UInt32(clamping: Int(route.totalWeight) + Int(weight))
  }

  /// The decoder has refused what is not a range.
  private mutating func store(subnets: [Located<String>]) -> (Int32, Int32) {
    let first = Int32(parts.subnets.count)
    parts.subnets += subnets.compactMap { IPPrefix($0.value) }
    return (first, Int32(parts.subnets.count) - first)
  }

  /// A route to one cluster, without conditions.
  mutating func tcpDraft(to cluster: Int32, serverName: String) -> TCPDraft {
    var route = TCPProxyRoute(
      firstDestination: Int32(parts.destinations.count), destinationCount: 0, totalWeight: 0)
    add(cluster: cluster, weight: 1, to: &route)
    return TCPDraft(route: route, facts: .init(virtualService: "", location: ""), serverNames: [serverName])
  }

  /// Gives drafts a place, in order.
  mutating func store(_ drafts: [TCPDraft]) -> TCPProxyRouteList {
    let first = Int32(parts.tcpRoutes.count)
    for draft in drafts {
      parts.tcpRoutes.append(draft.route)
      parts.tcpRouteFacts.append(draft.facts)
    }
    return TCPProxyRouteList(first: first, count: Int32(drafts.count))
  }
}
