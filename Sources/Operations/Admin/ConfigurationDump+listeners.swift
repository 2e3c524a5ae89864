import Routing

/// Listeners of a dump: those of Gateways, and the instance's own.
extension ConfigurationDump {
  /// The part of `/config_dump` with sockets and filter chains.
  var listeners: JSON {
    section(
      "ListenersConfigDump",
      [
        (
          "dynamic_listeners",
          .array(
            snapshot.listenerFacts.enumerated().map { index, facts in
              .object([
                ("name", .string(facts.name)),
                ("address", address(facts.bindAddress, Int(snapshot.listeners[index].bindPort))),
                ("filter_chains", .array(chains(ofListener: index))), ("servers", .strings(facts.servers)),
              ])
            })
        ), ("static_listeners", .array(ownListeners)),
      ])
  }

  /// The ports that the instance answers itself, with what Envoy has there. A snapshot that nobody runs has none.
  private var ownPlaces: [(distance: Int, path: String)] {
    instance == nil ? [] : [(21, "/healthz/ready"), (90, "/stats/prometheus")]
  }

  private var ownListeners: [JSON] {
    let base = instance?.options.adminBase ?? 0
    return ownPlaces.map { distance, path in
      .object([
        ("address", address(instance?.options.compiler.bindAddress ?? "0.0.0.0", base + distance)),
        ("filter_chains", .array([.object([("match", .string("ALL")), ("inline_route", .string("\(path)*"))])])),
      ])
    }
  }

  /// The routes of the instance's own ports, without names.
  var ownRoutes: [JSON] {
    ownPlaces.map { _, path in
      .object([
        (
          "virtual_hosts",
          .array([
            .object([
              ("name", .string("backend")), ("domains", .strings(["*"])),
              ("routes", .array([.object([("match", .string("\(path)*"))])])),
            ])
          ])
        )
      ])
    }
  }

  private func chains(ofListener index: Int) -> [JSON] {
    let listener = snapshot.listeners[index]
    if listener.routeConfiguration >= 0 {
      return [
        .object([
          ("match", .string("ALL")),
          ("route", .string(snapshot.routeConfigurationNames[Int(listener.routeConfiguration)])),
        ])
      ]
    }
    if listener.kind == .tcp {
      return [.object([("match", .string("ALL")), ("clusters", clusters(of: listener.tcpRoutes))])]
    }
    return snapshot.filterChains.indices.filter { Int(snapshot.filterChains[$0].listener) == index }.map { index in
      let chain = snapshot.filterChains[index]
      let way: (String, JSON) =
        chain.network == .http
        ? ("route", .string(snapshot.routeConfigurationNames[Int(chain.routeConfiguration)]))
        : ("clusters", clusters(of: chain.tcpRoutes))
      guard chain.policy >= 0 else {
        return .object([
          ("server_names", .strings(snapshot.chainFacts[index].serverNames)), way,
          ("tls_mode", .string(chain.requiresIstioProtocol ? "AUTO_PASSTHROUGH" : "PASSTHROUGH")),
        ])
      }
      let policy = snapshot.policies[Int(chain.policy)]
      return .object([
        ("server_names", .strings(snapshot.chainFacts[index].serverNames)), way,
        ("tls_mode", .string(policy.mode.rawValue)), ("secrets", .strings(policy.certificates.map(\.resourceName))),
        ("problem", .optional(policy.problem)),
      ])
    }
  }

  /// The names of the clusters that a list of routes leads to, in order.
  private func clusters(of list: TCPProxyRouteList) -> JSON {
    var names: [String] = []
    for route in snapshot.tcpRoutes[Int(list.first)..<Int(list.first + list.count)] {
      for index in route.firstDestination..<route.firstDestination + route.destinationCount {
        let cluster = snapshot.destinations[Int(index)].cluster
        names.append(cluster >= 0 ? snapshot.clusters[Int(cluster)].name : "BlackHoleCluster")
      }
    }
    return .strings(names)
  }
}
