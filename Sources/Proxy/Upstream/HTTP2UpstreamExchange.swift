import Transport
import Wire

/// One request on our HTTP/2 connection to an endpoint: between the session's slot and the `Stream`.
///
/// Kept by its connection and used again. A response that came faster than the client takes it waits in `incoming`,
/// bounded by the stream's window.
final class HTTP2UpstreamExchange {
  let connection: Ref<HTTP2UpstreamConnection>
  /// -1 before the head was sent and after the HTTP/2 stream is over.
  private(set) var slot: Int32 = -1
  private(set) var stream: Ref<Stream>?
  private var incoming: ByteBuffer
  var outgoing: ByteBuffer
  /// The response has ended; `incoming` may still have bytes of it.
  private var inputEnded = false
  /// The request has ended, as far as the session is concerned.
  private var outputEnded = false
  private var isBlocked = false
  private var informationalCount = 0
  /// Bytes of `incoming` are with the stream: they stay where they are.
  private var isLending = false
  /// Something of the response has come.
  private var hasBegunResponse = false
  /// Not among the free exchanges of its connection.
  private var isTaken = false

  /// Bytes of a request that wait for the upstream's window.
  private static let outgoingLimit = 64 * 1024
  /// Interim responses before the final one; more is an attack.
  private static let informationalLimit = 32

  init(connection: HTTP2UpstreamConnection) {
    self.connection = Ref(connection)
    incoming = ByteBuffer(pool: connection.loop.buffers)
    outgoing = ByteBuffer(pool: connection.loop.buffers)
  }

  /// Takes on a request.
  func begin(_ stream: Stream) {
    self.stream = Ref(stream)
    isTaken = true
    slot = -1
    inputEnded = false
    outputEnded = false
    isBlocked = false
    informationalCount = 0
    hasBegunResponse = false
  }

  // MARK: Request

  func sendRequestHead(_ stream: Stream) {
    outputEnded = stream.request.framing == .none || stream.request.framing == .length(0)
    slot = connection.with { $0.submit(stream.request, for: self, endsStream: outputEnded) }
    // The peer's last word on streams came in the same turn: nothing was sent.
    if slot < 0 { fail(.refusedStream, nil) }
  }

  func sendRequestBody(_ span: RawSpan) -> Int {
    if outputEnded { return span.byteCount }
    guard slot >= 0 else { return 0 }
    let taken = min(span.byteCount, Self.outgoingLimit - outgoing.count)
    if taken < span.byteCount, !isBlocked {
      isBlocked = true
      connection.with { $0.awaitRoom(self) }
    }
    guard taken > 0, outgoing.append(span.extracting(first: taken)) else { return 0 }
    connection.with {
      $0.session.offer(taken, slot: slot)
      $0.schedulePump()
    }
    return taken
  }

  func endRequest(_ stream: Stream) {
    guard !outputEnded, slot >= 0 else { return }
    outputEnded = true
    connection.with {
      $0.session.endBody(slot: slot, trailers: stream.requestTrailers)
      $0.schedulePump()
    }
  }

  /// There is room again for what the stream has to send.
  func hasRoom() -> Bool { outgoing.count <= Self.outgoingLimit / 2 }

  func resumeRequest() {
    isBlocked = false
    stream?.with { $0.upstreamDrained() }
  }

  // MARK: Response

  /// A response head came, perhaps an interim one.
  func headArrived(_ event: HTTP2Event, _ session: HTTP2Session) {
    guard let stream else { return session.discard(event) }
    hasBegunResponse = true
    let status = stream.with { stream in
      session.take(event, into: &stream.response)
      return stream.response.status
    }
    guard status < 200 else {
      inputEnded = event.endsStream
      let wanted = stream.with { $0.responseArrived() }
      if wanted, event.endsStream { finish() }
      return
    }
    informationalCount += 1
    guard status != 101, informationalCount <= Self.informationalLimit, !event.endsStream else {
      reset(.protocolError)
      return fail(.protocolError, "unexpected interim response")
    }
    stream.with {
      $0.informationalArrived()
      $0.response.reset()
    }
  }

  /// The response's head is larger than we take.
  func headTooLarge() {
    if stream != nil { fail(.protocolError, "http2.headers_too_large") }
  }

  /// Bytes of the response body came.
  func receive(_ span: RawSpan) {
    guard let stream else { return consumed(span.byteCount) }
    var taken = 0
    if incoming.isEmpty { taken = stream.with { $0.responseBody(span) } }
    consumed(taken)
    guard taken < span.byteCount else { return }
    guard self.stream != nil else { return consumed(span.byteCount - taken) }
    if !incoming.append(span.extracting(droppingFirst: taken)) {
      reset(.flowControlError)
      fail(.protocolError, "flow control error")
    }
  }

  func trailersArrived(_ event: HTTP2Event, _ session: HTTP2Session) {
    guard let stream else { return session.discard(event) }
    stream.with { session.take(event, into: &$0.responseTrailers) }
    responseEnded()
  }

  /// The response has ended.
  func responseEnded() {
    inputEnded = true
    if incoming.isEmpty { finish() }
  }

  /// The downstream can take more of the response.
  func resumeResponseBody() {
    guard let stream, !incoming.isEmpty, !isLending else { return }
    isLending = true
    while !incoming.isEmpty, self.stream == stream {
      let taken = incoming.withBytes { bytes in stream.with { $0.responseBody(bytes) } }
      if taken == 0 { break }
      incoming.consume(taken)
      consumed(taken)
    }
    isLending = false
    connection.with { $0.schedulePump() }
    // The client turned out to be gone at that.
    if self.stream == nil { return letGo() }
    guard incoming.isEmpty, self.stream == stream else { return }
    incoming.releaseIfEmpty()
    if inputEnded { finish() }
  }

  private func consumed(_ count: Int) {
    guard count > 0 else { return }
    connection.with {
      if slot >= 0 { $0.session.consumed(count, slot: slot) } else { $0.session.dropped(count) }
    }
  }

  private func finish() {
    guard let stream else { return }
    self.stream = nil
    // The upstream answered before it had the whole request: it does not want the rest (RFC 9113, section 8.1).
    if connection.with({ slot >= 0 && !$0.session.isSent(slot: slot) }) { reset(.noError) }
    letGo()
    stream.with { $0.endResponse() }
  }

  // MARK: Ending

  /// The stream does not want this exchange any more.
  func cancel() {
    stream = nil
    reset(.cancel)
    letGo()
  }

  private func reset(_ code: HTTP2ErrorCode) {
    guard slot >= 0 else { return }
    connection.with {
      $0.session.reset(slot: slot, code)
      $0.schedulePump()
    }
  }

  /// The HTTP/2 stream is over.
  func closed(_ code: HTTP2ErrorCode) {
    slot = -1
    if stream == nil { return letGo() }
    // Complete, but not all of it is with the client yet.
    if inputEnded { return }
    switch code {
    case .refusedStream: fail(.refusedStream, nil)
    case .noError: fail(.remoteReset, nil)
    default: fail(code == .protocolError ? .protocolError : .remoteReset, nil)
    }
  }

  /// The upstream has closed the connection.
  func connectionEnded(_ reason: String?, isStale: Bool) {
    guard isTaken else { return }
    slot = -1
    if stream == nil { return letGo() }
    if !inputEnded { failAsTerminated(reason, isStale: isStale) }
  }

  /// The attempt failed with its connection. One that had served others and ends without an answer was most likely
  /// closed while idle.
  func failAsTerminated(_ reason: String?, isStale: Bool) {
    fail(isStale && !hasBegunResponse ? .staleConnection : .connectionTermination, reason)
  }

  /// The attempt failed.
  func fail(_ failure: UpstreamFailure, _ reason: String?) {
    let link = stream
    stream = nil
    letGo()
    link?.with { $0.upstreamFailed(failure, reason: reason) }
  }

  /// Gives the exchange back, once neither the stream nor the session has it.
  private func letGo() {
    guard !isLending else { return }
    consumed(incoming.count)
    incoming.removeAll()
    incoming.releaseIfEmpty()
    guard slot < 0, stream == nil, isTaken else { return }
    isTaken = false
    outgoing.removeAll()
    outgoing.releaseIfEmpty()
    connection.with { $0.give(self) }
  }
}
