import Routing
import Transport
import Wire

/// Between exchanges, and the end of the connection.
extension HTTP1UpstreamConnection {
  func becomeIdle() {
    phase = .idle
    upstreamEndpoint.putIdle(self)
  }

  /// Anything that comes while idle, a close included, ends the connection: nobody asked.
  func idleInput() {
    guard !input.isEmpty || inputEnded else { return }
    upstreamEndpoint.remove(self)
    phase = .closing
    close()
  }

  /// Closes a connection that was taken off the idle stack.
  func closeIdle() {
    phase = .closing
    close()
  }

  func armIdleTimer() {
    let milliseconds = cluster.config.settings.idleTimeoutMilliseconds
    if milliseconds > 0 {
      loop.arm(&timer, after: Int64(milliseconds), owner: self, tag: Timer.idle)
    } else {
      loop.cancel(&timer)
    }
  }

  func durationReached() {
    durationTimer = .none
    isExpired = true
    cluster.counters.maxDurationsReached += 1
    guard phase == .idle else { return }
    upstreamEndpoint.remove(self)
    closeIdle()
  }

  /// The stream does not want this exchange any more. A request that was cut off cannot be taken back: the connection
  /// closes; a tunnel's with a reset, so that what it carried does not look complete.
  func cancel() {
    stream = nil
    phase = .closing
    if isTunnel { reset() } else { close() }
  }

  func breakOff(_ failure: UpstreamFailure, _ reason: String?) {
    let link = stream
    stream = nil
    phase = .closing
    close()
    link?.with { $0.upstreamFailed(failure, reason: reason) }
  }

  /// The stream may at once try another connection: this one is marked as gone first.
  func notify(_ failure: UpstreamFailure, _ reason: String?) {
    let link = stream
    stream = nil
    phase = .closing
    link?.with { $0.upstreamFailed(failure, reason: reason) }
  }

  /// Requests that wait for a connection of this endpoint may have one now.
  func serveQueue() {
    if upstreamEndpoint.queuedCount > 0 { upstreamEndpoint.serveQueue(cluster.shared?.breaker) }
  }
}
