/// `configPatches[].match` of an EnvoyFilter: which object of Envoy's configuration is meant.
struct EnvoyFilterMatch {
  enum Context: String, CaseIterable {
    case any = "ANY"
    case sidecarInbound = "SIDECAR_INBOUND"
    case sidecarOutbound = "SIDECAR_OUTBOUND"
    case gateway = "GATEWAY"
    case waypoint = "WAYPOINT"
  }

  enum RouteAction: String, CaseIterable {
    case any = "ANY"
    case route = "ROUTE"
    case redirect = "REDIRECT"
    case directResponse = "DIRECT_RESPONSE"
  }

  /// A network filter, perhaps with an HTTP filter inside.
  struct Filter {
    let location: SourceLocation
    let name: Located<String>?
    let subFilter: (name: Located<String>?, location: SourceLocation)?

    private static let connectionManagers = [
      "envoy.filters.network.http_connection_manager", "envoy.http_connection_manager",
    ]

    init(_ reader: FieldReader) {
      location = reader.location
      name = reader.string("name")
      subFilter = reader.object("subFilter") { ($0.string("name"), $0.location) }
    }

    func check(for target: EnvoyFilterPatch.Target, _ context: DecodingContext) {
      if target == .listener || target == .filterChain {
        context.warning("Envoy filter: filter match has no effect when used with \(target.rawValue)", at: location)
      }
      guard let name, !name.value.isEmpty else {
        return context.error("Envoy filter: filter match has no name to match on", at: location)
      }
      guard let subFilter else { return }
      if target != .httpFilter {
        context.error(
          "Envoy filter: subfilter match can be used with applyTo HTTP_FILTER only", at: subFilter.location)
      } else if !Self.connectionManagers.contains(name.value) {
        context.error(
          "Envoy filter: subfilter match requires filter match with \(Self.connectionManagers[0])", at: name.location)
      } else if subFilter.name?.value.isEmpty ?? true {
        context.error("Envoy filter: subfilter match has no name to match on", at: subFilter.location)
      }
    }
  }

  /// Which of `listener`, `routeConfiguration`, `cluster` and `waypoint` are given.
  let objects: [Located<String>]
  private(set) var filter: Filter?

  init(_ reader: FieldReader) {
    let context = reader.enumeration("context", Context.self)
    _ = reader.object("proxy") { proxy in
      _ = proxy.string("proxyVersion")
      _ = proxy.stringMap("metadata")
    }
    filter = reader.object("listener", Self.listener) ?? nil
    _ = reader.object("routeConfiguration", Self.routes)
    _ = reader.object("cluster") { cluster in
      for name in ["name", "service", "subset"] { _ = cluster.string(name) }
      _ = cluster.integer("portNumber", in: 0...65535)
    }
    _ = reader.object("waypoint") { waypoint in
      _ = waypoint.object("filter", Filter.init)
      _ = waypoint.object("route") { $0.string("name") }
      _ = waypoint.integer("portNumber", in: 1...65535)
    }
    objects = ["listener", "routeConfiguration", "cluster", "waypoint"].compactMap { name in
      reader.has(name) ? reader.keyLocation(name).map { Located(name, at: $0) } : nil
    }
    reader.exclusive("listener", "routeConfiguration", "cluster", "waypoint")
    if let waypoint = objects.first(where: { $0.value == "waypoint" }), context?.value != .waypoint {
      reader.context.error("only support waypointMatch when context is WAYPOINT", at: waypoint.location)
    }
  }

  /// An object of another kind; those of a waypoint have none of their own.
  func other(than kind: String) -> Located<String>? {
    objects.first { $0.value != kind && $0.value != "waypoint" }
  }

  private static func listener(_ reader: FieldReader) -> Filter? {
    for name in ["name", "portName", "listenerFilter"] { _ = reader.string(name) }
    _ = reader.integer("portNumber", in: 0...65535)
    let chain = reader.object("filterChain") { chain in
      for name in ["name", "sni", "transportProtocol", "applicationProtocols"] { _ = chain.string(name) }
      _ = chain.integer("destinationPort", in: 0...65535)
      return chain.object("filter", Filter.init)
    }
    return chain ?? nil
  }

  private static func routes(_ reader: FieldReader) {
    for name in ["name", "portName", "gateway"] { _ = reader.string(name) }
    _ = reader.integer("portNumber", in: 0...65535)
    _ = reader.object("vhost") { host in
      _ = host.string("name")
      _ = host.string("domainName")
      _ = host.object("route") { route in
        _ = route.string("name")
        _ = route.enumeration("action", RouteAction.self)
      }
    }
  }
}
