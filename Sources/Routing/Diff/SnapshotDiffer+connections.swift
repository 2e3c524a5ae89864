import Wire

/// Connections that carry bytes, compared by where they go.
extension SnapshotDiffer {
  /// What is compared for a listener of both sides and a name; nil where both route requests.
  func connectionWitnesses(_ pair: Pair, to domain: String) -> [SampleRequest]? {
    let left = carriage(old.snapshot, pair.old, domain)
    let right = carriage(new.snapshot, pair.new, domain)
    guard !left.isHTTP, !right.isHTTP, left.list != nil || right.list != nil else { return nil }
    var base = connection(to: domain, Int(pair.new))
    if left.requiresIstioProtocol || right.requiresIstioProtocol { base.protocols = ["istio"] }
    let ranges = [(old.snapshot, left.list), (new.snapshot, right.list)].map { snapshot, list in
      list.map(snapshot.ranges) ?? (destinations: [], sources: [])
    }
    return ConnectionWitnesses.connections(
      base, destinations: ranges.flatMap(\.destinations), sources: ranges.flatMap(\.sources))
  }

  /// Runs connections on both sides.
  func findings(_ connections: [SampleRequest], _ pair: Pair) -> [WitnessSearch.Finding] {
    connections.compactMap { witness in
      let before = RequestOutcome(old.explain(witness, listener: pair.old, depth: .outcome), old.snapshot)
      let after = RequestOutcome(new.explain(witness, listener: pair.new, depth: .outcome), new.snapshot)
      let changes = RequestOutcome.changes(from: before, to: after)
      return changes.isEmpty ? nil : .init(witness: witness, old: before, new: after, changes: changes)
    }
  }

  /// What a listener does with connections for a name.
  private func carriage(
    _ snapshot: Snapshot, _ index: Int32, _ domain: String
  ) -> (isHTTP: Bool, list: TCPProxyRouteList?, requiresIstioProtocol: Bool) {
    let listener = snapshot.listeners[Int(index)]
    switch listener.kind {
    case .http: return (true, nil, false)
    case .tcp: return (false, listener.tcpRoutes, false)
    case .tls:
      let name = Array(Self.host(of: domain).utf8)
      let found = snapshot.chain(ofListener: index, serverName: name.span.raw)
      guard found >= 0 else { return (false, nil, false) }
      let chain = snapshot.filterChains[Int(found)]
      return (chain.network == .http, chain.tcpRoutes, chain.requiresIstioProtocol)
    }
  }

  /// An address of this machine that leads to a listener.
  private func address(_ index: Int) -> String {
    switch new.snapshot.listenerFacts[index].bindAddress {
    case "0.0.0.0", "": "127.0.0.1"
    case "::": "::1"
    case let address: address
    }
  }

  private func connection(to domain: String, _ index: Int) -> SampleRequest {
    let listener = new.snapshot.listeners[index]
    let isTLS = listener.kind == .tls
    var connection = SampleRequest(
      isTLS: isTLS, port: Int(listener.publicPort), authority: isTLS ? Self.host(of: domain) : address(index),
      target: "")
    connection.socketPath = socketPath(index)
    connection.isHTTP = false
    return connection
  }
}

extension Snapshot {
  /// All ranges that routes compare addresses with.
  fileprivate func ranges(_ list: TCPProxyRouteList) -> (destinations: [IPPrefix], sources: [IPPrefix]) {
    let routes = tcpRoutes[Int(list.first)..<Int(list.first + list.count)]
    let slice = { (first: Int32, count: Int32) in self.subnets[Int(first)..<Int(first + count)] }
    return (
      routes.flatMap { slice($0.firstDestinationSubnet, $0.destinationSubnetCount) },
      routes.flatMap { slice($0.firstSourceSubnet, $0.sourceSubnetCount) }
    )
  }
}
