import Wire

/// Where the bytes of a connection go: one `tcp` or `tls` rule of a VirtualService, or a service behind
/// `AUTO_PASSTHROUGH`. Trivial; texts are in `Snapshot.tcpRouteFacts`.
package struct TCPProxyRoute: Sendable {
  /// The destinations in `Snapshot.destinations`.
  package var firstDestination: Int32
  package var destinationCount: Int32
  package var totalWeight: UInt32
  /// The ranges that the connection's own address must be in, in `Snapshot.subnets`; none for any address.
  package var firstDestinationSubnet: Int32 = 0
  package var destinationSubnetCount: Int32 = 0
  /// The same for the client's address.
  package var firstSourceSubnet: Int32 = 0
  package var sourceSubnetCount: Int32 = 0
}

/// What is known of such a route besides what connections need.
package struct TCPProxyRouteFacts: Sendable {
  /// `httpbin/httpbin-egress`; empty behind `AUTO_PASSTHROUGH`.
  package let virtualService: String
  /// Where the rule's match stands, or the rule without one: `gateways/egress.yaml:31:5`.
  package let location: String
}

/// A run of routes, tried in order. Trivial.
package struct TCPProxyRouteList: Sendable {
  package var first: Int32 = 0
  package var count: Int32 = 0

  package init() {}

  init(first: Int32, count: Int32) {
    self.first = first
    self.count = count
  }
}

/// Whether connections of a listener begin with a PROXY protocol header.
package struct ProxyProtocolPolicy: Sendable, Hashable {
  /// Who must send one, and is believed; empty: everybody. Others send none, and what looks like one is data.
  package var trustedSources: [IPPrefix]

  /// Whether a connection from `address` begins with a header.
  package func expectsHeader(from address: IPAddress) -> Bool {
    trustedSources.isEmpty || trustedSources.contains { $0.contains(address) }
  }
}

extension Snapshot {
  /// The first of the routes that takes a connection from `source` to `destination`, -1 when none does.
  package func tcpRoute(in list: TCPProxyRouteList, source: IPAddress, destination: IPAddress) -> Int32 {
    for index in list.first..<list.first + list.count {
      let route = tcpRoutes[Int(index)]
      if contains(destination, route.firstDestinationSubnet, route.destinationSubnetCount),
        contains(source, route.firstSourceSubnet, route.sourceSubnetCount)
      {
        return index
      }
    }
    return -1
  }

  /// Whether an address is in a run of ranges; a run without ranges has all.
  func contains(_ address: IPAddress, _ first: Int32, _ count: Int32) -> Bool {
    guard count > 0 else { return true }
    for index in first..<first + count where subnets[Int(index)].contains(address) { return true }
    return false
  }

  /// Picks one of the route's destinations by weight; `random` is any number.
  package func pickDestination(_ route: TCPProxyRoute, random: UInt32) -> Int32 {
    pickDestination(
      first: route.firstDestination, count: route.destinationCount, totalWeight: route.totalWeight, random: random)
  }
}
