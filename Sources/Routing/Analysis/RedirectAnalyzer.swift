import Resources

/// SP1037: redirects to what the same rule redirects again.
enum RedirectAnalyzer {
  /// A rule's match, and the path to which it sends a request that it takes again.
  private struct Loop {
    let rule: Int
    let path: String
    let place: SourceLocation
  }

  /// Beyond that many a configuration is not written by hand; to look at each costs the number of rules.
  private static let most = 64

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    let servers = servers(context)
    return context.virtualServices.flatMap { service in
      var loops: [Loop] = []
      for (index, route) in service.spec.http.enumerated() where loops.count < most {
        guard let redirect = route.redirect, let loop = loop(redirect, route, index, service, servers) else { continue }
        loops.append(loop)
      }
      return loops.filter { !isTakenEarlier($0, service) }.map { loop in
        MessageCatalog.finding(
          "SP1037", "the redirect leads to \(loop.path), which the same rule redirects again", at: loop.place,
          resource: service.description,
          help: "narrow the rule's match, or put a rule for \(loop.path) before it")
      }
    }
  }

  private static func loop(
    _ redirect: HTTPRedirect, _ route: HTTPRoute, _ index: Int, _ service: Resource<VirtualService>,
    _ servers: [String: HostIndex]
  ) -> Loop? {
    guard redirect.port == nil, redirect.derivePort == nil else { return nil }
    if let authority = redirect.authority?.value.lowercased() {
      guard service.spec.hosts.count == 1, service.spec.hosts[0].value.lowercased() == authority else { return nil }
    }
    let place = redirect.uri?.location ?? redirect.prefixRewrite?.location ?? redirect.scheme?.location
    let matches: [HTTPMatch?] = route.match.isEmpty ? [nil] : route.match
    for match in matches where keepsScheme(redirect, match, service, servers) {
      guard let path = path(redirect, match?.uri), takes(match?.uri, path, match?.ignoreUriCase ?? false) == true else {
        continue
      }
      return Loop(rule: index, path: path, place: place ?? redirect.authority?.location ?? route.location)
    }
    return nil
  }

  /// Whether the client comes back to a server that has the rule.
  private static func keepsScheme(
    _ redirect: HTTPRedirect, _ match: HTTPMatch?, _ service: Resource<VirtualService>, _ servers: [String: HostIndex]
  ) -> Bool {
    guard let scheme = redirect.scheme?.value.lowercased() else { return true }
    guard match?.scheme == nil, match?.port == nil else { return false }
    let hosts = service.spec.hosts.map { HostName.expand($0.value, namespace: service.metadata.namespace) }
    return AnalysisContext.gateways(of: match, in: service).contains { gateway in
      servers["\(scheme) \(gateway)"].map { hosts.contains(where: $0.overlaps) } ?? false
    }
  }

  /// The hosts of each Gateway by the scheme that leads to them without a port.
  private static func servers(_ context: AnalysisContext) -> [String: HostIndex] {
    var result: [String: HostIndex] = [:]
    for gateway in context.resources.gateways {
      for server in gateway.spec.servers where GatewayRules.readsRequests(server) {
        let scheme = GatewayRules.terminatesTLS(server) ? "https" : "http"
        guard server.port?.number?.value == (scheme == "https" ? 443 : 80),
          !(server.tls?.httpsRedirect?.value ?? false)
        else { continue }
        for host in GatewayRules.hosts(server) {
          result["\(scheme) \(gateway.reference)", default: HostIndex()].insert(host)
        }
      }
    }
    return result
  }

  /// The path that a request to the match's own is sent to; nil where that depends on the request.
  private static func path(_ redirect: HTTPRedirect, _ match: StringMatch?) -> String? {
    if let uri = redirect.uri { return uri.value.isEmpty ? nil : String(uri.value.prefix { $0 != "?" && $0 != "#" }) }
    switch match?.kind {
    case .exact(let text): return redirect.prefixRewrite == nil ? text.value : nil
    case .prefix(let text): return redirect.prefixRewrite?.value ?? text.value
    case nil, .present: return redirect.prefixRewrite == nil ? "/" : nil
    case .regex: return nil
    }
  }

  /// Whether a condition holds for a path; nil: nobody knows.
  private static func takes(_ match: StringMatch?, _ path: String, _ ignoresCase: Bool) -> Bool? {
    let fold = { (text: String) in ignoresCase ? text.lowercased() : text }
    switch match?.kind {
    case nil, .present: return true
    case .exact(let text): return fold(text.value) == fold(path)
    case .prefix(let text): return fold(path).hasPrefix(fold(text.value))
    case .regex(let text): return text.value == ".*" || text.value == "/.*" ? true : nil
    }
  }

  /// Whether an earlier rule may take the path.
  private static func isTakenEarlier(_ loop: Loop, _ service: Resource<VirtualService>) -> Bool {
    service.spec.http[..<loop.rule].contains { route in
      route.match.isEmpty || route.match.contains { takes($0.uri, loop.path, $0.ignoreUriCase) != false }
    }
  }
}
