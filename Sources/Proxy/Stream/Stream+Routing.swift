import Routing
import Transport
import Wire

/// From the request head to a route, and what the route says besides forwarding.
extension Stream {
  func route(in generation: WorkerGeneration) {
    let snapshot = generation.snapshot
    isPrepared = false
    guard !request.authority.isEmpty else { return refuseWithoutHost() }
    if worker.with({ $0.explainTokens.isArmed }) { explainIfAsked(in: generation) }
    guard normalizePath(snapshot.settings.pathNormalization) else { return }
    let match = worker.with {
      snapshot.match(
        routeConfiguration: source.routeConfiguration, head: request, isTLS: source.isTLS, context: $0.matchContext)
    }
    virtualHostIndex = match.virtualHost
    routeIndex = match.route
    if match.virtualHost >= 0, !source.isTLS, snapshot.virtualHosts[Int(match.virtualHost)].requiresTLS {
      return redirectToHTTPS()
    }
    if match.gaveUp { return replyRegexGaveUp() }
    guard match.route >= 0 else { return replyNoRoute() }
    route = snapshot.routes[Int(match.route)]
    if route.features.isEmpty { act(in: generation) } else { beginFeatures(in: generation) }
  }

  /// Does what the route says.
  func act(in generation: WorkerGeneration) {
    let snapshot = generation.snapshot
    switch route.action {
    case .forward: forward(in: generation)
    case .redirect: replyRedirect(snapshot)
    case .directResponse: replyDirectly(snapshot)
    }
  }

  /// HTTP/1.0 allows requests without Host; no virtual host and no upstream is named by them.
  private func refuseWithoutHost() {
    flags.insert(.downstreamProtocolError)
    reply(400, details: "missing_host_header")
  }

  /// Brings the path into the form that rules see. False when it was refused and answered.
  private func normalizePath(_ mode: InstanceSettings.PathNormalization) -> Bool {
    switch PathNormalizer.normalize(request.bytes(request.path), mode) {
    case .unchanged: return true
    case .changed(let path):
      replacePath(path)
      return true
    case .refused:
      flags.insert(.downstreamProtocolError)
      reply(400, details: "path_normalization_failed")
      return false
    }
  }

  private func replacePath(_ path: [UInt8]) {
    request.setPath(path.span.raw)
  }

  private func replyNoRoute() {
    if isMisdirected {
      flags.insert(.noRouteFound)
      return reply(421, details: "misdirected_request")
    }
    flags.insert(.noRouteFound)
    reply(404, details: "route_not_found")
  }

  /// A regular expression exceeded its limits: whether its rule is for this request is not known, and the next rule may
  /// allow what it forbids.
  private func replyRegexGaveUp() {
    worker.with { $0.counters.regexLimitsExceeded += 1 }
    reply(500, details: "regex_limit_exceeded")
  }

  /// The request came on a connection that was made for a host with another certificate or policy: the client should
  /// use another connection (RFC 9113, section 9.1.2, "connection reuse").
  private var isMisdirected: Bool {
    guard request.version == .http2, source.isTLS, virtualHostIndex < 0, let generation else { return false }
    return generation.with {
      let chain = $0.snapshot.chain(
        ofListener: source.listener, serverName: Authority.host(of: request.bytes(request.authority)))
      return chain >= 0 && chain != source.chain
    }
  }

  private func forward(in generation: WorkerGeneration) {
    let snapshot = generation.snapshot
    let ticket = route.destinationCount > 1 ? worker.with { UInt32(truncatingIfNeeded: $0.random.next()) } : 0
    destinationIndex = snapshot.pickDestination(route, random: ticket)
    let destination = snapshot.destinations[Int(destinationIndex)]
    guard destination.cluster >= 0 else {
      flags.insert(.noClusterFound)
      return reply(503, details: "cluster_not_found")
    }
    let cluster = generation.cluster(destination.cluster)
    adopt(cluster)
    retriesLeft = Int(retryPolicy.attempts)
    keepsBody = route.features.contains(.keepsBody) && !request.wantsUpgrade
    // Asked first without taking the text: even an absent one would be retained.
    if cluster.with({ $0.tlsProblem != nil }), let problem = cluster.with({ $0.tlsProblem }) {
      failureReason = problem
      flags.insert(.upstreamConnectionFailure)
      return replyFailure(.connectFailure, reason: problem)
    }
    if request.isExtendedConnect { worker.with { $0.addWebSocketKey(&request) } }
    armGRPCTimer()
    let certificates = snapshot.settings.forwardClientCert
    isPrepared = true
    worker.with {
      $0.prepare(
        &request, from: source, timeoutMilliseconds: Int(route.timeoutMilliseconds),
        keepsClientCertificate: certificates.keepsField(isVerified: source.hasVerifiedClient))
    }
    if source.hasVerifiedClient, certificates.addsClient {
      downstream.withClientCertificate { request.appendClientCertificate($0) }
    }
    if request.hasRouterFields { takeRouterFields() }
    let isEdited = worker.with {
      route.features.contains(.valueOperators)
        ? editRequest(snapshot, destination, $0.matchContext)
        : snapshot.applyRequestActions(route, destination, to: &request, $0.matchContext)
    }
    guard isEdited else { return replyRegexGaveUp() }
    if route.features.contains(.mirrors) { planMirrors(snapshot) }
    attempt()
  }

  /// The cluster that the request goes to is known.
  func adopt(_ cluster: Ref<UpstreamCluster>) {
    self.cluster = cluster
    (hasLimits, watchesOutcome) = cluster.with { ($0.hasLimits, $0.watchesOutcomes) }
  }

  // MARK: Replies that the route itself gives

  /// `httpsRedirect`: 301 to the same host, path and query.
  private func redirectToHTTPS() {
    guard let generation else { return }
    let location = generation.with { $0.snapshot.httpsLocation(for: request, listener: source.listener) }
    reply(301, details: "https_redirect", location: location)
  }

  private func replyRedirect(_ snapshot: Snapshot) {
    let redirect = snapshot.redirects[Int(route.actionIndex)]
    let location = snapshot.location(of: redirect, for: request, listener: source.listener, isTLS: source.isTLS)
    isRouteAnswer = true
    reply(redirect.status, details: "direct_response", location: location)
  }

  private func replyDirectly(_ snapshot: Snapshot) {
    let direct = snapshot.directResponses[Int(route.actionIndex)]
    // A success would mean that there is a tunnel (RFC 9110, section 9.3.6).
    if request.isConnect, direct.status < 300 { return replyNoRoute() }
    isRouteAnswer = true
    reply(direct.status, details: "direct_response", bytes: direct.body)
  }
}
