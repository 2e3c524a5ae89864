import Routing
import Transport
import Wire

/// Getting the request to an endpoint: attempts, retries, timeouts.
extension Stream {
  /// Makes one attempt: picks an endpoint and a connection.
  func attempt() {
    guard let cluster else { return }
    attempts += 1
    let choice = tried.isEmpty ? cluster.with { $0.pick(for: self) } : cluster.with { $0.pickUntried(for: self) }
    switch choice {
    case .endpoint(let endpoint): send(to: endpoint)
    case .unresolved:
      state = .awaitingEndpoint
      cluster.with {
        $0.await(self)
        armTryTimer($0.config.settings.connectTimeoutMilliseconds)
      }
    case .none: noHealthyUpstream()
    }
  }

  /// The name service answered (or failed) while the stream waited.
  func endpointsArrived() {
    guard state == .awaitingEndpoint else { return }
    loop.cancel(&tryTimer)
    attempts -= 1
    attempt()
  }

  private func noHealthyUpstream() {
    cluster?.with {
      $0.counters.noneHealthy += 1
      if let reason = $0.resolutionFailure {
        flags.insert(.dnsResolutionFailure)
        failureReason = "DNS resolution failed for \($0.config.host): \(reason)"
      }
    }
    flags.insert(.noHealthyUpstream)
    reply(503, details: "no_healthy_upstream", body: "no healthy upstream")
  }

  private func send(to endpoint: Ref<UpstreamEndpoint>) {
    self.endpoint = endpoint
    endpoint.with {
      upstreamAddress = $0.address
      $0.activeRequests += 1
      $0.counters.requests += 1
    }
    cluster?.with {
      $0.counters.requests += 1
      $0.counters.activeRequests += 1
    }
    if hasLimits, let breaker = cluster?.with({ $0.shared?.breaker }) {
      sendWithinLimits(to: endpoint, breaker)
    } else if usesHTTP2Upstream {
      sendOverHTTP2(to: endpoint)
    } else if request.method != .connect, let idle = endpoint.with({ $0.takeIdle() }) {
      use(idle)
    } else {
      state = .awaitingConnection
      openConnection(to: endpoint)
    }
  }

  /// Sends the request on an idle connection.
  func use(_ idle: Ref<HTTP1UpstreamConnection>) {
    upstream = .http1(idle)
    idle.with { $0.assign(self) }
    connected()
  }

  func openConnection(to endpoint: Ref<UpstreamEndpoint>) {
    guard let cluster else { return }
    let opened = cluster.with { cluster in
      endpoint.with { HTTP1UpstreamConnection.open(to: $0, of: cluster, for: self) }
    }
    switch opened {
    case .success(let connection): upstream = .http1(Ref(connection))
    case .failure(let failure): upstreamFailed(.connectFailure, reason: failure.reason)
    }
  }

  /// Whether this request goes upstream in HTTP/2: as the cluster says, or as the client came (`useClientProtocol`).
  var usesHTTP2Upstream: Bool {
    switch cluster?.with({ $0.config.settings.httpProtocol }) {
    // An upgrade is HTTP/1.1's.
    case .http2: return !request.wantsUpgrade
    case .asDownstream: return request.version == .http2 && !request.wantsUpgrade
    case .http1, nil: return false
    }
  }

  /// Joins the streams of a connection that has room, or opens one.
  func sendOverHTTP2(to endpoint: Ref<UpstreamEndpoint>) {
    state = .awaitingConnection
    if let connection = endpoint.with({ $0.availableHTTP2(for: self) }) {
      return connection.with { $0.assign(self) }
    }
    openHTTP2(to: endpoint)
  }

  /// Opens an HTTP/2 connection for this request and those that will join it.
  func openHTTP2(to endpoint: Ref<UpstreamEndpoint>) {
    guard let cluster else { return }
    let opened = cluster.with { cluster in
      endpoint.with { HTTP2UpstreamConnection.open(to: $0, of: cluster, for: self) }
    }
    switch opened {
    case .success(let connection): connection.assign(self)
    case .failure(let failure): upstreamFailed(.connectFailure, reason: failure.reason)
    }
  }

  /// An upstream connection is ours and ready: sends the head, and lets the body flow.
  func connected() {
    if hasLimits, !attach() {
      cancelUpstream()
      return upstreamFailed(.overflow, reason: nil)
    }
    if watchesOutcome { noteConnection() }
    state = .awaitingResponse
    upstreamStartNanoseconds = loop.nowNanoseconds
    upstreamLocalAddress = upstream.localAddress
    upstream.sendRequestHead(self)
    guard state == .awaitingResponse else { return }
    armPerTryTimer()
    guard state == .awaitingResponse else { return }
    if requestEnded, !isReplaying {
      endRequestUpstream()
    } else {
      upstreamDrained()
    }
  }

  func endRequestUpstream() {
    // Whether there is something to end, the answer to an upgrade will tell.
    if request.wantsUpgrade, state == .awaitingResponse { return }
    upstream.endRequest(self)
  }

  // MARK: Failure

  /// This attempt failed; the connection has let go of the stream already.
  func upstreamFailed(_ failure: UpstreamFailure, reason: String?) {
    upstream = .none
    countFailure(failure)
    if watchesOutcome, failure != .overflow { noteFailure() }
    letGoOfEndpoint()
    loop.cancel(&tryTimer)
    if state == .streaming { return breakOff(failure, reason: reason) }
    if mayTryAgain(after: failure) { return retry(immediately: failure.isHarmless) }
    flags.insert(failure.flag)
    failureReason = reason
    replyFailure(failure, reason: reason)
  }

  /// The response broke off after its head went out: the client must not take it for complete.
  private func breakOff(_ failure: UpstreamFailure, reason: String?) {
    flags.insert(failure.flag)
    failureReason = reason
    details =
      failure == .protocolError
      ? "upstream_reset_after_response_started{protocol_error}"
      : "upstream_reset_after_response_started{connection_termination}"
    downstream.abortResponse()
    finish()
  }

  private func countFailure(_ failure: UpstreamFailure) {
    if failure != .overflow { endpoint?.with { $0.counters.errors += 1 } }
    cluster?.with {
      switch failure {
      case .connectFailure: $0.counters.connectFailures += 1
      case .connectTimeout: $0.counters.connectTimeouts += 1
      case .overflow: $0.counters.overflows += 1
      default: $0.counters.resets += 1
      }
    }
  }

  /// Whether the request may be sent again after `failure`.
  ///
  /// A kept-alive connection that the upstream closes is nobody's fault: one replay, if the method is idempotent
  /// (RFC 9110, section 9.2.2) and none of the body has left us. Else the route's retry policy decides.
  private func mayTryAgain(after failure: UpstreamFailure) -> Bool {
    guard isRepeatable else { return false }
    // A refused stream was not processed, whatever its method (RFC 9113, section 8.7).
    if mayReplay, failure == .refusedStream || (failure == .staleConnection && request.method.isIdempotent) {
      mayReplay = false
      return true
    }
    return failure.isCovered(by: retryPolicy) && takeRetry()
  }

  var retryPolicy: RetryPolicy {
    if let ownRetryPolicy { return ownRetryPolicy }
    return generation.map { $0.with { $0.snapshot.retryPolicy(route) } } ?? .none
  }

  /// Tries again: at once after a stale connection, else after Envoy's jittered exponential back-off.
  func retry(immediately: Bool = false) {
    cancelUpstream()
    letGoOfEndpoint()
    cluster?.with { $0.counters.retries += 1 }
    response.reset()
    rewindBody()
    if immediately { return attempt() }
    state = .backingOff
    let policy = retryPolicy
    prepareRetry(policy)
    let base = Int(max(1, policy.backoffMilliseconds))
    let ceiling = min(base << min(attempts - 1, 10), base * 10)
    let pause = worker.with { $0.random.below(ceiling) }
    loop.arm(&backOffTimer, after: Int64(pause), owner: self, tag: Timer.backOff)
  }

  // MARK: Timeouts

  /// The route's timeout counts from the moment the request has arrived completely, as in Envoy.
  func armRouteTimer() {
    guard route.timeoutMilliseconds > 0, state != .idle, state != .delayed else { return }
    // A tunnel lasts as long as it lasts.
    if request.wantsUpgrade, state == .streaming { return }
    var pause = Int64(route.timeoutMilliseconds)
    if request.headers.contains(.grpcTimeout), request.isGRPC, request.grpcTimeoutMilliseconds > 0 {
      pause = min(pause, max(1, Int64(request.grpcTimeoutMilliseconds - durationMilliseconds)))
    }
    loop.arm(&routeTimer, after: pause, owner: self, tag: Timer.route)
  }

  /// A gRPC client's deadline counts from the beginning of the call, and ends it even while it is under way.
  func armGRPCTimer() {
    guard request.headers.contains(.grpcTimeout), request.isGRPC else { return }
    let milliseconds = request.grpcTimeoutMilliseconds
    guard milliseconds > 0 else { return }
    loop.arm(&routeTimer, after: Int64(milliseconds), owner: self, tag: Timer.route)
  }

  /// The timeout of one attempt counts from the moment both the request has arrived and a connection is ready.
  func armPerTryTimer() {
    let mayHaveOne = route.retryPolicy >= 0 || ownRetryPolicy != nil
    let milliseconds = mayHaveOne && requestEnded ? retryPolicy.perTryTimeoutMilliseconds : 0
    if milliseconds > 0 { armTryTimer(milliseconds) }
  }

  private func armTryTimer(_ milliseconds: Int32) {
    loop.arm(&tryTimer, after: Int64(milliseconds), owner: self, tag: Timer.attempt)
  }

  func attemptTimedOut() {
    switch state {
    case .awaitingEndpoint:
      cluster?.with { $0.stopAwaiting(self) }
      noHealthyUpstream()
    case .awaitingConnection, .awaitingResponse:
      endpoint?.with { $0.counters.timeouts += 1 }
      if watchesOutcome { noteFailure() }
      if isRepeatable, !retryPolicy.conditions.isDisjoint(with: [.serverError, .gatewayError, .reset]), takeRetry() {
        retry()
      } else {
        timedOut(details: "upstream_per_try_timeout")
      }
    default: break
    }
  }

  func timedOut(details: StaticString) {
    cluster?.with { $0.counters.timeouts += 1 }
    flags.insert(.upstreamRequestTimeout)
    if state == .streaming {
      self.details = details
      downstream.abortResponse()
      cancelUpstream()
      return finish()
    }
    reply(504, details: details, body: "upstream request timeout")
  }

  // MARK: Letting go

  /// Ends the attempt that is under way, if any.
  func cancelUpstream() {
    let link = upstream
    upstream = .none
    link.cancel()
    if state == .awaitingEndpoint { cluster?.with { $0.stopAwaiting(self) } }
  }

  func letGoOfEndpoint() {
    guard let endpoint else { return }
    if !held.isEmpty { releaseAttempt() }
    self.endpoint = nil
    endpoint.with { $0.activeRequests -= 1 }
    cluster?.with { $0.counters.activeRequests -= 1 }
  }

  func countUpstreamResponse() {
    let status = response.status
    cluster?.with { $0.counters.responses[min(5, status / 100)] += 1 }
    endpoint?.with {
      if status < 500 { $0.counters.successes += 1 } else { $0.counters.errors += 1 }
    }
  }
}
