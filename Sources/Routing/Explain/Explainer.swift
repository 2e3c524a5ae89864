import Resources
import Wire

/// Answers for one instance how a request would be treated, and why. It runs the same parser, normaliser and matchers
/// as the data plane, rule by rule from the top, so it cannot say anything else than what the data plane does.
package struct Explainer {
  let snapshot: Snapshot
  let context = MatchContext()
  private let knowsSecrets: Bool
  private let inspect: CertificateInspector

  /// - Parameters:
  ///   - knowsSecrets: false when the configuration came without any secret, as a checkout does: then a missing
  ///     certificate is noted, and is not where the request ends.
  ///   - inspect: reads certificates.
  package init(
    _ snapshot: Snapshot, knowsSecrets: Bool = true, inspect: @escaping CertificateInspector = { _, _ in nil }
  ) {
    self.snapshot = snapshot
    self.knowsSecrets = knowsSecrets
    self.inspect = inspect
  }

  /// `httpbin-egress.httpbin`
  package var instance: String { "\(snapshot.identity.name).\(snapshot.identity.namespace)" }

  /// How much is wanted of an explanation.
  package enum Depth: Sendable {
    /// What happens, and a verdict on every rule up to the one that matches.
    case reasons
    /// What happens, found through the index: for many requests.
    case outcome
  }

  /// The listener that a client reaches: at a unix-domain socket the one that binds it, at a port the one that binds it, else the one that is published there, else
  /// the one that a Gateway declares; nil when there is none.
  package func listener(for request: SampleRequest) -> Int32? {
    if let path = request.socketPath {
      return snapshot.listenerFacts.firstIndex { $0.bindAddress == HostRules.unixPrefix + path }.map(Int32.init)
    }
    return listener(at: request.port)
  }

  private func listener(at port: Int) -> Int32? {
    let all = snapshot.listeners
    let index =
      all.firstIndex { $0.bindPort == port } ?? all.firstIndex { $0.publicPort == port }
      ?? all.firstIndex { $0.declaredPort == port }
    return index.map(Int32.init)
  }

  /// Explains a request that comes to the port it names.
  package func explain(_ request: SampleRequest) -> Explanation {
    guard let index = listener(for: request) else {
      var explanation = Explanation(instance: instance, request: request)
      let known = zip(snapshot.listeners, snapshot.listenerFacts).map { "\($1.name) (port \($0.declaredPort))" }
      explanation.error = ExplainError(
        .noListener,
        "nothing listens on \(request.socketPath ?? "port \(request.port)"); "
          + (known.isEmpty ? "the instance has no listeners" : "listeners: \(known.joined(separator: ", "))"))
      return explanation
    }
    return explain(request, listener: index)
  }

  /// Explains a request that comes to a listener.
  ///
  /// - Parameter chain: the filter chain that the connection has already; nil: the server name chooses it.
  package func explain(
    _ request: SampleRequest, listener index: Int32, chain: Int32? = nil, depth: Depth = .reasons
  ) -> Explanation {
    var explanation = Explanation(instance: instance, request: request)
    let listener = snapshot.listeners[Int(index)]
    let facts = snapshot.listenerFacts[Int(index)]
    explanation.listener = .init(
      index: index, name: facts.name, declaredPort: Int(listener.declaredPort), bindPort: Int(listener.bindPort),
      servers: facts.servers)
    switch way(of: index, chain, request, &explanation) {
    case nil: break
    case .bytes(let list, let isTLS): carry(request, list, isTLS: isTLS, &explanation)
    case .requests(let configuration): explainRequest(request, configuration, depth, &explanation)
    }
    return explanation
  }

  private func explainRequest(
    _ request: SampleRequest, _ configuration: Int32, _ depth: Depth, _ explanation: inout Explanation
  ) {
    guard request.isHTTP else {
      explanation.error =
        explanation.error
        ?? ExplainError(
          .noFilterChain,
          "\(explanation.chain?.server ?? explanation.listener?.name ?? "") routes requests, not bytes: ask for a URL "
            + "with \(request.isTLS ? "https" : "http")")
      return
    }
    explanation.routeConfiguration = snapshot.routeConfigurationNames[Int(configuration)]
    do {
      var head = try request.head()
      try normalize(&head)
      route(head, request, configuration, depth, &explanation)
    } catch {
      explanation.error =
        explanation.error ?? ExplainError(.badRequest, "the request is refused: \(error.details)", status: error.status)
    }
  }

  // MARK: Listener and filter chain

  /// What a connection leads to.
  private enum Way {
    /// A route configuration.
    case requests(Int32)
    /// Routes of bytes, that are still those of TLS or were never.
    case bytes(TCPProxyRouteList, isTLS: Bool)
  }

  /// Where the connection leads; nil, with an error, when it leads nowhere.
  private func way(
    of index: Int32, _ chain: Int32?, _ request: SampleRequest, _ explanation: inout Explanation
  ) -> Way? {
    let listener = snapshot.listeners[Int(index)]
    let name = snapshot.listenerFacts[Int(index)].name
    switch listener.kind {
    case .tcp:
      explanation.carries = .tcp
      return .bytes(listener.tcpRoutes, isTLS: request.isTLS)
    case .http:
      guard request.isTLS else { return .requests(listener.routeConfiguration) }
      explanation.error = ExplainError(.noFilterChain, "\(name) is plaintext HTTP, the client begins a TLS handshake")
      return nil
    case .tls:
      guard request.isTLS else {
        explanation.error = ExplainError(.noFilterChain, "\(name) expects TLS, the client sends plaintext")
        return nil
      }
      return self.chain(of: index, chain, request, &explanation)
    }
  }

  private func chain(
    of index: Int32, _ chain: Int32?, _ request: SampleRequest, _ explanation: inout Explanation
  ) -> Way? {
    let bytes = Array((request.serverName ?? "").lowercased().utf8)
    let found = chain ?? snapshot.chain(ofListener: index, serverName: bytes.span.raw)
    guard found >= 0 else {
      explanation.error = noChain(index, request, &explanation)
      return nil
    }
    let chain = snapshot.filterChains[Int(found)]
    let facts = snapshot.chainFacts[Int(found)]
    let policy = chain.policy >= 0 ? snapshot.policies[Int(chain.policy)] : nil
    let certificates = (policy?.certificates ?? []).map {
      Explanation.CertificateStep(
        name: $0.resourceName, source: $0.source, summary: inspect($0.chainPEM, request.serverName ?? ""))
    }
    explanation.chain = .init(
      serverNames: facts.serverNames, server: facts.server, tlsMode: policy?.mode.rawValue ?? "PASSTHROUGH",
      certificates: certificates)
    if let name = request.serverName, !certificates.isEmpty,
      certificates.allSatisfy({ $0.summary.map { !$0.isForServerName } ?? false })
    {
      explanation.notes.append("no certificate is for \(name): clients that verify it go away")
    }
    if let problem = policy?.problem {
      // The rest is still of interest: it is what happens once there is a certificate.
      if !knowsSecrets, policy?.certificates.isEmpty ?? true {
        explanation.notes.append("without its certificate the handshake would be refused: \(problem)")
      } else {
        explanation.error = ExplainError(.noCertificate, "the handshake is refused: \(problem)")
      }
    }
    switch chain.network {
    case .http: return .requests(chain.routeConfiguration)
    case .tcp:
      explanation.carries = .tcp
      return .bytes(chain.tcpRoutes, isTLS: false)
    case .passthrough:
      explanation.carries = .tls
      guard !chain.requiresIstioProtocol || Self.offersIstioProtocol(request) else {
        let wanted = ClientHello.istioProtocols.map { "\($0)" }.joined(separator: ", ")
        fail(&explanation, .noFilterChain, "only clients that offer one of Istio's protocols are served: \(wanted)")
        return nil
      }
      return .bytes(chain.tcpRoutes, isTLS: true)
    }
  }

  private static func offersIstioProtocol(_ request: SampleRequest) -> Bool {
    request.protocols.contains { offered in ClientHello.istioProtocols.contains { "\($0)" == offered } }
  }

  private func noChain(
    _ listener: Int32, _ request: SampleRequest, _ explanation: inout Explanation
  ) -> ExplainError {
    let chains = snapshot.filterChains.indices.filter { snapshot.filterChains[$0].listener == listener }
    if chains.contains(where: { snapshot.filterChains[$0].network == .passthrough }) { explanation.carries = .tls }
    let owned = chains.flatMap { snapshot.chainFacts[$0].serverNames }
    let names = owned.isEmpty ? "none" : owned.joined(separator: ", ")
    let asked = request.serverName.map { "nobody serves the name \($0)" } ?? "the client sends no server name"
    return ExplainError(.noFilterChain, "\(asked); server names here: \(names)")
  }

  // MARK: Routing

  /// Brings the path into the form that rules see, as the data plane does.
  private func normalize(_ head: inout RequestHead) throws(SampleRequest.Refused) {
    switch PathNormalizer.normalize(head.bytes(head.path), snapshot.settings.pathNormalization) {
    case .unchanged: return
    case .changed(let path): head.setPath(path.span.raw)
    case .refused: throw SampleRequest.Refused(status: 400, details: "path_normalization_failed")
    }
  }

  /// The decisions of a stream, in its order.
  private func route(
    _ head: consuming RequestHead, _ request: SampleRequest, _ configuration: Int32, _ depth: Depth,
    _ explanation: inout Explanation
  ) {
    let match =
      depth == .reasons
      ? snapshot.matchByScan(
        routeConfiguration: configuration, head: head, isTLS: request.isTLS, context: context)
      : snapshot.match(routeConfiguration: configuration, head: head, isTLS: request.isTLS, context: context)
    explanation.match = match
    guard match.virtualHost >= 0 else {
      return fail(&explanation, .noVirtualHost, noVirtualHost(head, configuration, explanation), status: 404)
    }
    let host = snapshot.virtualHosts[Int(match.virtualHost)]
    let facts = snapshot.virtualHostFacts[Int(match.virtualHost)]
    explanation.virtualHost = .init(name: facts.name, domain: facts.domain, virtualServices: facts.virtualServices)
    if host.requiresTLS, !request.isTLS {
      let location = Snapshot.text(
        snapshot.httpsLocation(for: head, listener: explanation.listener.map(\.index) ?? -1))
      explanation.answer = .redirect(status: 301, location: location)
      let message = "the server has httpsRedirect: the client is sent to \(location)"
      return fail(&explanation, .tlsRedirect, message, status: 301)
    }
    explanation.rules =
      depth == .reasons ? verdicts(host, upTo: match.rule, head, isTLS: request.isTLS) : matched(match.rule)
    if match.gaveUp {
      let message = "a regular expression of the rules exceeds its limits with this request: it is refused"
      return fail(&explanation, .regexLimit, message, status: 500)
    }
    guard match.rule >= 0 else {
      let count = Int(host.ruleCount)
      if head.isConnect { return fail(&explanation, .noRoute, "no rule is for CONNECT", status: 404) }
      let what = count == 0 ? "the virtual host has no rules" : "none of its \(count) rules matches"
      return fail(&explanation, .noRoute, what, status: 404)
    }
    answer(snapshot.routes[Int(match.route)], head, request, &explanation)
  }

  func fail(_ explanation: inout Explanation, _ kind: ExplainError.Kind, _ message: String, status: Int? = nil) {
    explanation.error = explanation.error ?? ExplainError(kind, message, status: status)
  }

  private func noVirtualHost(
    _ head: borrowing RequestHead, _ configuration: Int32, _ explanation: Explanation
  ) -> String {
    let known = snapshot.virtualHostFacts.filter { $0.routeConfiguration == configuration }.map(\.domain)
    let shown = known.prefix(8).joined(separator: ", ") + (known.count > 8 ? " and \(known.count - 8) more" : "")
    let host = Snapshot.text(Snapshot.copy(Authority.host(of: head.bytes(head.authority))))
    let other =
      isMisdirected(head, explanation) ? "; another filter chain serves it: over HTTP/2 the status is 421" : ""
    return "no virtual host for \(host); hosts here: \(known.isEmpty ? "none" : shown)\(other)"
  }

  /// Whether the connection was made for another host's filter chain (RFC 9113, section 9.1.2).
  private func isMisdirected(_ head: borrowing RequestHead, _ explanation: Explanation) -> Bool {
    guard let listener = explanation.listener?.index, explanation.chain != nil else { return false }
    return snapshot.chain(ofListener: listener, serverName: Authority.host(of: head.bytes(head.authority))) >= 0
  }

  // MARK: Answers

  private func answer(
    _ route: Route, _ head: borrowing RequestHead, _ request: SampleRequest, _ explanation: inout Explanation
  ) {
    explanation.settings = snapshot.settings(of: route)
    if let early = earlyAnswer(route, head) {
      explanation.answer = early
      return
    }
    switch route.action {
    case .redirect:
      let redirect = snapshot.redirects[Int(route.actionIndex)]
      let location = snapshot.location(
        of: redirect, for: head, listener: explanation.listener.map(\.index) ?? -1, isTLS: request.isTLS)
      explanation.answer = .redirect(status: redirect.status, location: Snapshot.text(location))
    case .directResponse:
      let direct = snapshot.directResponses[Int(route.actionIndex)]
      if head.isConnect, direct.status < 300 {
        return fail(&explanation, .noRoute, "a direct response of \(direct.status) would promise a tunnel", status: 404)
      }
      explanation.answer = .directResponse(status: direct.status, bodyBytes: direct.body?.count ?? 0)
    case .forward:
      let destinations = (route.firstDestination..<route.firstDestination + route.destinationCount).map {
        destination($0, of: route, head, request)
      }
      explanation.answer = .forward(destinations)
      if head.isConnect { explanation.notes.append("a tunnel: what the client sends reaches the endpoint as it is") }
      if let problem = destinations.lazy.compactMap(problem).first { fail(&explanation, problem) }
    }
  }

  /// The answer that a fault or a CORS policy gives before the route does, when that is certain.
  private func earlyAnswer(_ route: Route, _ head: borrowing RequestHead) -> Explanation.Answer? {
    guard let extras = snapshot.extras(of: route) else { return nil }
    if let fault = extras.fault, let abort = fault.abort, fault.abortShare >= Int32(Fault.whole) {
      if case .http(let status) = abort { return .earlyResponse(status: status, by: "fault") }
      return .earlyResponse(status: 200, by: "fault")
    }
    guard let cors = extras.cors else { return nil }
    switch snapshot.corsVerdict(cors, head, context) {
    case .preflight, .ignoredPreflight: return .earlyResponse(status: 200, by: "corsPolicy")
    case .none, .allowed: return nil
    }
  }

  func fail(_ explanation: inout Explanation, _ error: ExplainError) {
    explanation.error = explanation.error ?? error
  }

  private func destination(
    _ index: Int32, of route: Route, _ head: borrowing RequestHead, _ request: SampleRequest
  ) -> Explanation.DestinationStep {
    let destination = snapshot.destinations[Int(index)]
    let cluster = destination.cluster >= 0 ? snapshot.clusters[Int(destination.cluster)] : nil
    return .init(
      cluster: cluster, weight: Int(destination.weight), totalWeight: Int(route.totalWeight),
      sent: cluster.flatMap { sent(to: $0, route, destination, request) })
  }

  /// What the upstream receives, hop-by-hop and forwarding fields apart.
  private func sent(
    to cluster: Cluster, _ route: Route, _ destination: Destination, _ request: SampleRequest
  ) -> SampleRequest? {
    // Into a tunnel go the client's bytes, and no request.
    guard var head = try? request.head(), !head.isConnect else { return nil }
    try? normalize(&head)
    snapshot.applyRequestActions(route, destination, to: &head, context)
    var sent = SampleRequest(head, isTLS: cluster.settings.tls != nil, port: Int(cluster.settings.port))
    sent.serverName = cluster.settings.tls?.serverName
    return sent
  }

  /// What keeps a destination from being used.
  func problem(_ destination: Explanation.DestinationStep) -> ExplainError? {
    let status = destination.carriesBytes ? nil : 503
    guard let cluster = destination.cluster else {
      return ExplainError(.noCluster, "the destination does not exist in the configuration", status: status)
    }
    if let problem = cluster.settings.tls?.problem { return ExplainError(.upstreamTLS, problem, status: status) }
    if cluster.settings.endpoints.isEmpty, cluster.settings.dnsNames.isEmpty {
      return ExplainError(.noEndpoints, "\(cluster.name) has no endpoints", status: status)
    }
    return nil
  }
}
