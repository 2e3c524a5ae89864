import Transport
import Wire

/// Signs of life (DestinationRule `http2KeepAlive`, Envoy's `connection_keepalive`): a PING from time to time, and no
/// connection without its answer.
extension HTTP2UpstreamConnection {
  /// Asks after the interval, counted from now.
  func armKeepAlive() {
    guard let keepAlive else { return }
    loop.cancel(&keepAliveTimer)
    loop.arm(&keepAliveTimer, after: keepAlive.interval, owner: self, tag: Timer.keepAlive)
  }

  /// Frames came while a PING is out: perhaps its answer.
  func noteSignOfLife() {
    guard let before = answersBeforePing, session.pingAnswers > before else { return }
    answersBeforePing = nil
    armKeepAlive()
  }

  /// Asks whether the upstream is there; one that did not answer in time is not.
  func keepAliveDue() {
    guard let keepAlive, state == .open else { return }
    guard answersBeforePing == nil else {
      cluster.counters.keepAliveTimeouts += 1
      failAll(.connectionTermination, "http2 keepalive timeout")
      return close()
    }
    answersBeforePing = session.pingAnswers
    session.ping()
    loop.arm(&keepAliveTimer, after: keepAlive.timeout, owner: self, tag: Timer.keepAlive)
    schedulePump()
  }
}
