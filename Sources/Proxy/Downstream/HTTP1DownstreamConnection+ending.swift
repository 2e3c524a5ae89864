import Transport
import Wire

/// Refusals, the end of the connection, and how long it may be still.
extension HTTP1DownstreamConnection {
  /// Answers a request that cannot be understood, and closes: what follows on this connection has no meaning.
  func refuse(_ refusal: HTTP1Refusal) {
    guard let stream = detachStream() else { return closeNow() }
    phase = .closing
    requestIsPersistent = false
    worker.with { worker in
      worker.counters.refusedRequests += 1
      adoptGeneration(worker)
      stream.with { $0.refuse(refusal, from: .http1(Ref(self)), source: source, generation: worker.currentGeneration) }
    }
    closeNow()
  }

  /// The body turned out to be malformed: an answer if none has begun, then the end.
  func refuseBody(_ refusal: HTTP1Refusal) {
    worker.with { $0.counters.refusedRequests += 1 }
    requestIsPersistent = false
    phase = .closing
    guard let stream else { return closeNow() }
    stream.with { $0.refuseBody(refusal) }
    if state == .open { closeNow() }
  }

  func closeNow(lingering: Bool = true) {
    phase = .closing
    closeAfterFlush(lingering: lingering)
  }

  func detachStream() -> Ref<Stream>? {
    defer { stream = nil }
    return stream
  }

  /// Gives back a stream whose request never began.
  func abandonStream() {
    detachStream()?.with { stream in
      stream.reset()
      worker.with { $0.streams.give(stream) }
    }
  }

  /// Bytes of a body went one way or the other.
  func noteMovement() {
    isQuiet = false
    if !isTunnel, phase == .body || isOutputBlocked { return timeStall() }
    worker.with { armTimer($0.limits.idleTimeoutMilliseconds, Timer.body) }
  }

  func timeStall() {
    isQuiet = false
    worker.with { armTimer($0.limits.stallTimeoutMilliseconds, Timer.stall) }
  }

  func armTimer(_ milliseconds: Int64, _ tag: UInt8) {
    guard milliseconds > 0 else { return loop.cancel(&timer) }
    loop.arm(&timer, after: milliseconds, owner: self, tag: tag)
  }
}
