import Resources

/// Servers of Gateways that are in each other's way, and TLS versions that exclude each other.
enum ServerAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    conflicts(context) + versions(context)
  }

  // MARK: IST0145

  /// A server with its Gateway.
  private struct Place {
    let gateway: Resource<Gateway>
    let server: GatewayServer
    /// The namespaces whose VirtualServices may bind; nil: any.
    let namespace: String?
  }

  /// Gateways of one selector and port whose hosts overlap, as Istio sees it (`conflictinggateway.go`). Equal hosts of
  /// TLS servers on one socket are the compiler's to say: the later of those servers is left out.
  private static func conflicts(_ context: AnalysisContext) -> [Diagnostic] {
    var groups: [String: [String: [Place]]] = [:]
    var wide: [String: [String: [Place]]] = [:]
    var diagnostics: [Diagnostic] = []
    for gateway in context.resources.gateways.sorted(by: { $0.orderKey < $1.orderKey }) {
      let selector = gateway.spec.selector.map { "\($0.key)=\($0.value.value)" }.sorted().joined(separator: ",")
      for server in gateway.spec.servers {
        guard let port = server.port?.number?.value, port != 0 else { continue }
        let key = "\(selector)~\(port)"
        var others: [String] = []
        var first: Located<String>?
        for host in server.hosts {
          let found = overlaps(host, gateway, server, groups[key] ?? [:], wide[key] ?? [:])
          if !found.isEmpty, first == nil { first = host }
          for name in found where !others.contains(name) { others.append(name) }
        }
        if let first {
          let hosts = server.hosts.map(\.value).joined(separator: ",")
          diagnostics.append(
            MessageCatalog.finding(
              "IST0145",
              "Conflict with gateways \(others.joined(separator: ",")) (workload selector \(selector), port \(port), hosts \(hosts)).",
              at: first.location, resource: gateway.description,
              help: "make them one Gateway, or give them different hosts"))
        }
        for host in server.hosts { add(host, gateway, server, &groups[key, default: [:]], &wide[key, default: [:]]) }
      }
    }
    return diagnostics
  }

  private static func place(_ host: String, _ gateway: Resource<Gateway>, _ server: GatewayServer) -> Place {
    var namespace: String?
    if let slash = host.firstIndex(of: "/"), host[..<slash] != "*" {
      namespace = host[..<slash] == "." ? gateway.metadata.namespace : String(host[..<slash])
    }
    return Place(gateway: gateway, server: server, namespace: namespace)
  }

  /// Each host is found by its own name; those with a wildcard also by the suffixes of the others.
  private static func add(
    _ host: Located<String>, _ gateway: Resource<Gateway>, _ server: GatewayServer, _ byName: inout [String: [Place]],
    _ below: inout [String: [Place]]
  ) {
    let name = ListenerBuilder.Server.dnsName(host.value).lowercased()
    let place = place(host.value, gateway, server)
    byName[name, default: []].append(place)
    for pattern in HostIndex.wildcards(above: name) where below[pattern]?.count ?? 0 < 8 {
      below[pattern, default: []].append(place)
    }
  }

  private static func overlaps(
    _ host: Located<String>, _ gateway: Resource<Gateway>, _ server: GatewayServer, _ byName: [String: [Place]],
    _ below: [String: [Place]]
  ) -> [String] {
    let name = ListenerBuilder.Server.dnsName(host.value).lowercased()
    let own = place(host.value, gateway, server)
    let equal = (byName[name] ?? []).filter { !(isTLS(server) && isTLS($0.server)) }
    let wider = HostIndex.wildcards(above: name).flatMap { byName[$0] ?? [] }
    let narrower = name.hasPrefix("*") ? below[name] ?? [] : []
    return (equal + wider + narrower).filter { other in
      // Servers of different protocols on one socket are the compiler's to say.
      other.gateway.reference != gateway.reference && isAlike(other.server, server)
        && (other.server.bind?.value ?? "") == (server.bind?.value ?? "")
        && (own.namespace == nil || other.namespace == nil || own.namespace == other.namespace)
    }.map(\.gateway.reference)
  }

  private static func isTLS(_ server: GatewayServer) -> Bool {
    server.port?.protocolKind == .https || server.port?.protocolKind == .tls
  }

  private static func isAlike(_ left: GatewayServer, _ right: GatewayServer) -> Bool {
    if isTLS(left) || isTLS(right) { return isTLS(left) && isTLS(right) }
    return left.port?.protocolKind?.isHTTP == true && right.port?.protocolKind?.isHTTP == true
  }

  // MARK: SP1047

  private static func versions(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.gateways.flatMap { gateway in
      gateway.spec.servers.compactMap { server -> Diagnostic? in
        guard let most = server.tls?.maxProtocolVersion, most.value != .automatic else { return nil }
        var least = server.tls?.minProtocolVersion?.value ?? .automatic
        let isOwn = least != .automatic
        if !isOwn { least = .tls12 }
        // Their names sort as they do.
        guard least.rawValue > most.value.rawValue else { return nil }
        return MessageCatalog.finding(
          "SP1047",
          "minProtocolVersion \(least.rawValue)\(isOwn ? "" : ", the default,") is above maxProtocolVersion \(most.value.rawValue): no handshake can succeed",
          at: most.location, resource: gateway.description,
          help: isOwn ? "exchange them, or remove one" : "set minProtocolVersion and cipherSuites, too")
      }
    }
  }
}
