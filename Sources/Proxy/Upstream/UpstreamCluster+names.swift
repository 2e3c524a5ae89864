import Transport

/// Clusters whose endpoints are names: what is known of them, when they are asked for, and who waits for the answer.
///
/// Names are asked for only while the cluster is used: an idle instance stays asleep. So the first request after a pause
/// finds an answer that may be hours old. It waits for a new one, for a while, as the cluster's first request does.
extension UpstreamCluster {
  /// What is known of the cluster's names.
  package enum Resolution {
    /// Endpoints are IP addresses; nothing to resolve.
    case fixed
    /// The first answer is still out.
    case pending
    /// Answered; asked anew when the cluster is used after `expires` (milliseconds of the loop's clock).
    case answered(expires: Int64, isRefreshing: Bool)
    /// The last good answer is in use, since there was no other; asked anew when the cluster is used after `retry`.
    case kept(retry: Int64, isRefreshing: Bool)
    /// No answer was ever had; the reason of the last failure.
    case failed(String, since: Int64, retry: Int64)
  }

  /// Milliseconds that an answer is used beyond its lifetime while a new one is asked for. A cluster that is in use asks
  /// with the first request after the lifetime, so its answers are never older.
  private static let graceMilliseconds: Int64 = 1000
  /// How long requests wait for a new answer before they use the old one.
  private static let patienceMilliseconds: Int64 = 1000

  /// Why there is no endpoint, when the reason is the name service.
  var resolutionFailure: String? {
    if case .failed(let reason, _, _) = resolution { return reason }
    return nil
  }

  // MARK: Asking

  /// Asks for the names again when the answer has expired, as a request would, and after a failure once in
  /// `milliseconds` at least.
  func keepResolved(every milliseconds: Int64) {
    refreshIfExpired()
    retryResolution(after: milliseconds)
  }

  @inline(__always)
  func refreshIfExpired() {
    switch resolution {
    case .answered(let expires, false): if loop.now >= expires { refresh(since: expires) }
    case .kept(let retry, false): if loop.now >= retry { refreshKept(retry) }
    default: break
    }
  }

  private func refresh(since expires: Int64) {
    resolution = .answered(expires: expires, isRefreshing: true)
    if loop.now - expires >= Self.graceMilliseconds, !isRetired {
      awaitsAnswer = true
      patience = Alarm(on: loop, after: Self.patienceMilliseconds) { [weak self] in self?.stopWaiting() }
    }
    worker.with { $0.requestResolution(of: self) }
  }

  private func refreshKept(_ retry: Int64) {
    resolution = .kept(retry: retry, isRefreshing: true)
    worker.with { $0.requestResolution(of: self) }
  }

  /// Asks again after a failure, not before its pause is over.
  func retryResolution(after longest: Int64 = .max) {
    guard case .failed(let reason, let since, let retry) = resolution else { return }
    guard loop.now >= retry || loop.now - since >= longest else { return }
    // One question is on its way: the next failure sets the next pause.
    resolution = .failed(reason, since: loop.now, retry: .max)
    worker.with { $0.requestResolution(of: self) }
  }

  // MARK: Answers

  /// Takes over what the name service said.
  ///
  /// - Parameter lifetimeMilliseconds: how long the answer is good for.
  func resolved(_ endpoints: [ResolvedEndpoint], lifetimeMilliseconds: Int64) {
    resolution = .answered(expires: loop.now + lifetimeMilliseconds, isRefreshing: false)
    // Of a logical name one address at a time, the first. Beside names a cluster may have addresses.
    let isLogical = config.settings.discovery == .logicalDNS
    replaceEndpoints(with: isLogical ? Array(endpoints.prefix(1)) : Self.fixedEndpoints(config) + endpoints)
    stopWaiting()
  }

  /// The name service failed. The last good answer stays in use; asked again after `retryMilliseconds`, when used.
  func resolutionFailed(_ reason: String, retryMilliseconds: Int64) {
    switch resolution {
    case .answered, .kept: resolution = .kept(retry: loop.now + retryMilliseconds, isRefreshing: false)
    default: resolution = .failed(reason, since: loop.now, retry: loop.now + retryMilliseconds)
    }
    counters.resolutionFailures += 1
    stopWaiting()
  }

  // MARK: Waiting

  /// Lets `stream` wait for the answer of the name service.
  func await(_ stream: Stream) {
    waiting.append(Ref(stream))
  }

  /// Takes `stream` off the waiting list.
  func stopAwaiting(_ stream: Stream) {
    waiting.removeAll { $0.isLink(to: stream) }
  }

  /// Lets a TCP connection wait for the answer of the name service.
  func await(_ connection: TCPDownstreamConnection) {
    waitingConnections.append(Ref(connection))
  }

  /// Takes `connection` off the waiting list.
  func stopAwaiting(_ connection: TCPDownstreamConnection) {
    waitingConnections.removeAll { $0.isLink(to: connection) }
  }

  /// Who waits goes on with what is known now.
  func stopWaiting() {
    awaitsAnswer = false
    patience?.cancel()
    patience = nil
    let streams = waiting
    waiting.removeAll(keepingCapacity: true)
    for stream in streams { stream.with { $0.endpointsArrived() } }
    guard !waitingConnections.isEmpty else { return }
    let connections = waitingConnections
    waitingConnections.removeAll(keepingCapacity: true)
    for connection in connections { connection.with { $0.endpointsArrived() } }
  }
}
