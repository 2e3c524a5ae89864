import Routing
import Transport

/// Circuit breakers: what a request may have of a cluster that limits connections, waiting requests or requests.
///
/// As in Envoy, a request that finds no idle connection, or none in HTTP/2 that takes one more, waits for one, and an
/// endpoint without any connection may always open one: so whoever waits is served when that one is free again.
extension Stream {
  /// Sends the request to an endpoint of a cluster with limits.
  func sendWithinLimits(to endpoint: Ref<UpstreamEndpoint>, _ breaker: CircuitBreaker) {
    if attempts == 1 { breaker.requestBegan(now: loop.nowNanoseconds) }
    if usesHTTP2Upstream { return shareConnection(to: endpoint, breaker) }
    if request.isConnect { return openTunnel(to: endpoint, breaker) }
    if let idle = endpoint.with({ $0.takeIdle() }) { return use(idle) }
    guard hold(.pending, breaker) else { return upstreamFailed(.overflow, reason: nil) }
    state = .awaitingConnection
    if isConnectionRefused(breaker), endpoint.with({ $0.http1ConnectionCount > 0 }) {
      held.insert(.queued)
      endpoint.with { $0.enqueue(self) }
    } else {
      openConnection(to: endpoint)
    }
  }

  /// Joins an HTTP/2 connection that has room, opens one, or waits until one has room.
  private func shareConnection(to endpoint: Ref<UpstreamEndpoint>, _ breaker: CircuitBreaker) {
    let connection = endpoint.with { $0.availableHTTP2(for: self) }
    // On a connection that is there a request waits for nothing.
    if let connection, connection.with({ $0.state == .open }) {
      state = .awaitingConnection
      return connection.with { $0.assign(self) }
    }
    guard hold(.pending, breaker) else { return upstreamFailed(.overflow, reason: nil) }
    state = .awaitingConnection
    if let connection {
      connection.with { $0.assign(self) }
    } else if isConnectionRefused(breaker), endpoint.with({ $0.hasHTTP2Connection }) {
      held.insert(.queued)
      endpoint.with { $0.enqueue(self, isHTTP2: true) }
    } else {
      openHTTP2(to: endpoint)
    }
  }

  /// A tunnel has a connection of its own: an idle one makes room for it, and it waits for none.
  private func openTunnel(to endpoint: Ref<UpstreamEndpoint>, _ breaker: CircuitBreaker) {
    if breaker.isConnectionLimitReached { endpoint.with { $0.takeIdle() }?.with { $0.closeIdle() } }
    guard !isConnectionRefused(breaker), hold(.pending, breaker) else {
      return upstreamFailed(.overflow, reason: nil)
    }
    state = .awaitingConnection
    openConnection(to: endpoint)
  }

  /// Whether a connection that is wanted would be one too many; counts it.
  private func isConnectionRefused(_ breaker: CircuitBreaker) -> Bool {
    guard breaker.isConnectionLimitReached else { return false }
    cluster?.with { $0.counters.connectionOverflows += 1 }
    return true
  }

  /// An idle connection is there for a request that waited for one.
  func dequeued(_ connection: Ref<HTTP1UpstreamConnection>) {
    held.remove(.queued)
    use(connection)
  }

  /// A connection may be opened for a request that waited for one.
  func dequeuedToConnect() {
    held.remove(.queued)
    if let endpoint { openConnection(to: endpoint) }
  }

  /// There is room on an HTTP/2 connection for a request that waited for it, or one may be opened.
  func dequeued(toJoin connection: Ref<HTTP2UpstreamConnection>?) {
    held.remove(.queued)
    if let connection {
      connection.with { $0.assign(self) }
    } else if let endpoint {
      openHTTP2(to: endpoint)
    }
  }

  /// The request got its connection and is at the endpoint now. False when there are too many there already.
  func attach() -> Bool {
    guard let breaker = cluster?.with({ $0.shared?.breaker }) else { return true }
    release(.pending, breaker)
    return hold(.request, breaker)
  }

  private func hold(_ resource: CircuitBreaker.Resources, _ breaker: CircuitBreaker) -> Bool {
    guard !held.contains(resource) else { return true }
    guard breaker.take(resource, now: loop.nowNanoseconds) else { return false }
    held.insert(resource)
    return true
  }

  private func release(_ resources: CircuitBreaker.Resources, _ breaker: CircuitBreaker) {
    breaker.give(held.intersection(resources))
    held.subtract(resources)
  }

  /// Gives back what one attempt held.
  func releaseAttempt() {
    if held.contains(.queued), let endpoint {
      held.remove(.queued)
      endpoint.with { $0.dequeue(self) }
    }
    if let breaker = cluster?.with({ $0.shared?.breaker }) { release([.pending, .request], breaker) }
  }

  /// Takes a place among the retries under way, and gives back that of the retry before.
  func holdRetry() -> Bool {
    guard let breaker = cluster?.with({ $0.shared?.breaker }) else { return true }
    release(.retry, breaker)
    return hold(.retry, breaker)
  }

  /// Gives back everything.
  func releaseLimits() {
    if let breaker = cluster?.with({ $0.shared?.breaker }) { release([.pending, .request, .retry], breaker) }
  }
}
