import Wire

/// Connections whose bytes go to a cluster without being looked at.
extension Explainer {
  /// The decisions that a worker makes for such a connection, in its order.
  ///
  /// - Parameter isTLS: what is carried is TLS that the client began.
  func carry(
    _ request: SampleRequest, _ list: TCPProxyRouteList, isTLS: Bool, _ explanation: inout Explanation
  ) {
    var matched: Int32 = -1
    for index in list.first..<list.first + list.count {
      let failure = failure(of: snapshot.tcpRoutes[Int(index)], request)
      if let verdict = verdict(index, failure, explanation) { explanation.rules.append(verdict) }
      if failure == nil {
        matched = index
        break
      }
    }
    guard matched >= 0 else {
      let what =
        list.count == 0 ? "there is no \(explanation.carries?.rawValue ?? "tcp") rule for it" : "no rule takes it"
      return fail(&explanation, .noRoute, "\(what): the connection is closed")
    }
    let route = snapshot.tcpRoutes[Int(matched)]
    let destinations = (route.firstDestination..<route.firstDestination + route.destinationCount).map {
      destination($0, of: route, request, isTLS: isTLS)
    }
    explanation.answer = .forward(destinations)
    if let problem = destinations.lazy.compactMap(problem).first { fail(&explanation, problem) }
  }

  /// The first condition that does not hold. An address that is not known is in no range.
  private func failure(of route: TCPProxyRoute, _ request: SampleRequest) -> RuleVerdict.Failure? {
    let conditions = [
      ("destinationSubnets", "address", request.address, route.firstDestinationSubnet, route.destinationSubnetCount),
      ("sourceSubnet", "source", request.source, route.firstSourceSubnet, route.sourceSubnetCount),
    ]
    for (name, flag, address, first, count) in conditions where count > 0 {
      if let address, snapshot.contains(address, first, count) { continue }
      return .init(
        condition: name, wanted: snapshot.subnetText(first, count),
        had: address.map { "\($0)" } ?? "not known, --\(flag) says it")
    }
    return nil
  }

  /// nil for what `AUTO_PASSTHROUGH` makes up.
  private func verdict(
    _ index: Int32, _ failure: RuleVerdict.Failure?, _ explanation: Explanation
  ) -> RuleVerdict? {
    let facts = snapshot.tcpRouteFacts[Int(index)]
    guard !facts.virtualService.isEmpty else { return nil }
    let names = explanation.carries == .tls ? explanation.chain?.serverNames ?? [] : []
    return RuleVerdict(
      name: explanation.carries?.rawValue ?? "tcp", virtualService: facts.virtualService, location: facts.location,
      conditions: snapshot.conditions(of: snapshot.tcpRoutes[Int(index)], serverNames: names), failure: failure)
  }

  private func destination(
    _ index: Int32, of route: TCPProxyRoute, _ request: SampleRequest, isTLS: Bool
  ) -> Explanation.DestinationStep {
    let destination = snapshot.destinations[Int(index)]
    let cluster = destination.cluster >= 0 ? snapshot.clusters[Int(destination.cluster)] : nil
    let sent = cluster.map { cluster in
      var sent = request
      sent.port = Int(cluster.settings.port)
      // The next one sees this instance's address, and its own.
      sent.source = nil
      sent.address = nil
      sent.isTLS = isTLS
      if !isTLS { sent.serverName = nil }
      if let tls = cluster.settings.tls {
        // TLS around TLS hides what is inside from the next one, too.
        if isTLS { sent.isHTTP = false }
        sent.isTLS = true
        sent.serverName = tls.serverName
        sent.protocols = []
      }
      return sent
    }
    return .init(
      cluster: cluster, weight: Int(destination.weight), totalWeight: Int(route.totalWeight), sent: sent,
      carriesBytes: true)
  }
}

extension Snapshot {
  /// The conditions of a route of bytes in words; `any connection` when there are none.
  package func conditions(of route: TCPProxyRoute, serverNames: [String]) -> String {
    var all = serverNames.isEmpty ? [] : ["sniHosts \(serverNames.joined(separator: " or "))"]
    if route.destinationSubnetCount > 0 {
      all.append("destinationSubnets \(subnetText(route.firstDestinationSubnet, route.destinationSubnetCount))")
    }
    if route.sourceSubnetCount > 0 {
      all.append("sourceSubnet \(subnetText(route.firstSourceSubnet, route.sourceSubnetCount))")
    }
    return all.isEmpty ? "any connection" : all.joined(separator: ", ")
  }

  /// `10.0.0.0/24 or 10.0.2.1`
  func subnetText(_ first: Int32, _ count: Int32) -> String {
    subnets[Int(first)..<Int(first + count)].map { "\($0)" }.joined(separator: " or ")
  }
}
