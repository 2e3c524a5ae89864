import Transport
import Wire

/// Writing the response.
extension HTTP1DownstreamConnection {
  /// Writes the response head and decides how the body is framed and whether the connection stays.
  func sendResponseHead(_ stream: Stream) {
    if stream.isTunnel { return switchProtocols(stream) }
    let version = stream.request.version
    let hasBody = stream.response.hasBody(for: stream.request.method)
    var framing = stream.response.framing
    // Over HTTP/2 these may end behind their head; here they end with it, and must not be framed.
    if stream.response.status == 204 || stream.response.status == 304 { framing = .none }
    switch framing {
    case .untilClose, .chunked:
      framing = version == .http10 ? .untilClose : .chunked
      if version == .http10 { responseIsPersistent = false }
    case .none:
      // HTTP/2 has other means to say that there is no body.
      if hasBody, !stream.response.headers.contains(.contentLength) {
        stream.response.headers.append(.contentLength, 0)
      }
    case .length: break
    }
    responseIsPersistent = responseIsPersistent && requestIsPersistent && keepsAlive(stream)
    let connection: HTTP1.ConnectionField =
      responseIsPersistent ? (version == .http10 ? .keepAlive : .absent) : .close
    let size = stream.response.http1ByteCount
    let written = gather(size) { stream.response.writeHTTP1(into: &$0, framing: framing, connection: connection) }
    if !written { return abortResponse() }
    writer.begin(hasBody ? framing : .none)
  }

  func switchProtocols(_ stream: Stream) {
    if stream.request.isConnect { stream.response.removeFraming() }
    let field: HTTP1.ConnectionField = stream.request.isConnect ? .absent : .upgrade
    let size = stream.response.http1ByteCount
    let written = gather(size) { stream.response.writeHTTP1(into: &$0, framing: .none, connection: field) }
    if !written { return abortResponse() }
    isTunnel = true
    responseIsPersistent = false
    reader.begin(.untilClose)
    writer.begin(.untilClose)
    phase = .body
  }

  /// The upstream of a tunnel sends no more: neither do we. What the client sends goes on.
  func endTunnelOutput() {
    endsTunnelOutput = true
    finishTunnelOutput()
  }

  func finishTunnelOutput() {
    guard !hasEndedTunnelOutput else { return }
    endOutput()
    // What the kernel did not take yet goes first; `outputDrained()` comes back here.
    hasEndedTunnelOutput = state == .open && output.isEmpty
  }

  func keepsAlive(_ stream: Stream) -> Bool {
    // A client that waits for 100 (Continue) and gets a final answer may or may not send its body: no telling where the
    // next request would begin.
    if awaitsContinue, phase == .body { return false }
    if inputEnded { return false }
    return !worker.with { $0.isDraining }
  }

  /// Passes an interim (1xx) response on, except to HTTP/1.0 clients, which do not know them.
  func sendInformational(_ stream: Stream) {
    if stream.response.status == 100 { awaitsContinue = false }
    guard stream.request.version != .http10 else { return }
    let size = stream.response.http1ByteCount
    _ = gather(size) { stream.response.writeHTTP1(into: &$0, framing: .none, connection: .absent) }
  }

  /// Sends response bytes; returns how many were taken.
  func sendResponseBody(_ span: RawSpan) -> Int {
    let taken = writer.send(span, on: self)
    if taken > 0 { noteMovement() }
    return taken
  }

  /// The response is complete: the connection goes on with the next request, or closes.
  func endResponse(_ stream: Stream) {
    writer.end(trailers: stream.responseTrailers, on: self)
    self.stream = nil
    guard responseIsPersistent else { return closeNow(lingering: phase == .body || stream.request.isConnect) }
    switch phase {
    case .awaitingResponse:
      becomeIdle()
      if !isProcessing {
        process()
        resumeInput()
      }
    case .body:
      phase = .discarding
      discardedBytes = 0
      if !isProcessing {
        process()
        resumeInput()
      }
    case .idle, .head, .discarding, .closing: break
    }
  }

  /// The response cannot be completed: a reset, so that the client does not take what it has for the whole.
  func abortResponse() {
    stream = nil
    reset()
  }

  func becomeIdle() {
    phase = .idle
    worker.with { armTimer($0.limits.idleTimeoutMilliseconds, Timer.idle) }
    // A response that had begun before the worker drains could not say that the connection ends with it.
    if input.isEmpty, inputEnded || worker.with({ $0.isDraining }) { closeNow(lingering: false) }
  }
}
