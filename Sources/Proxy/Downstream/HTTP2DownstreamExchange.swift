import Transport
import Wire

/// One stream of a client's HTTP/2 connection: between the session's slot and the `Stream` that has the request.
///
/// Kept by its connection and used again for every stream that gets its slot. What came in and was not taken waits in
/// `incoming`, bounded by the stream's window, which opens only for bytes that were taken; what goes out waits in
/// `outgoing` for the client's window.
final class HTTP2DownstreamExchange {
  let connection: Ref<HTTP2DownstreamConnection>
  let slot: Int32
  private(set) var stream: Ref<Stream>?
  var incoming: ByteBuffer
  var outgoing: ByteBuffer
  /// The request has ended; `incoming` may still have bytes of it.
  private var inputEnded = false
  /// The response is complete, as far as the session is concerned.
  private var outputEnded = false
  /// The stream offered more than was taken, and waits to hear that there is room.
  private(set) var isBlocked = false
  private var discardedBytes = 0
  /// The HTTP/2 stream has not ended.
  private var isOpen = false
  /// When something last moved on the stream, in milliseconds of the loop's clock.
  var lastMoved: Int64 = 0
  /// It is being ended because nothing moved.
  private var isTimedOut = false
  /// Bytes of `incoming` are with the stream: they stay where they are.
  private var isLending = false
  /// The HTTP/2 stream has ended as it should, and the last bytes of its tunnel are on their way to the upstream.
  private var isSettling = false

  /// Bytes of a response that wait for the client's window.
  private static let outgoingLimit = 64 * 1024
  /// Body bytes of an answered request that are read and dropped before the stream is reset.
  private static let discardLimit = 256 * 1024

  init(connection: HTTP2DownstreamConnection, slot: Int32) {
    self.connection = Ref(connection)
    self.slot = slot
    incoming = ByteBuffer(pool: connection.loop.buffers)
    outgoing = ByteBuffer(pool: connection.loop.buffers)
  }

  /// Begins with a request whose head is complete.
  func begin(_ stream: Ref<Stream>, endsStream: Bool) {
    self.stream = stream
    inputEnded = endsStream
    outputEnded = false
    isBlocked = false
    discardedBytes = 0
    isOpen = true
    isTimedOut = false
    noteMovement()
  }

  private func noteMovement() {
    lastMoved = connection.with { $0.loop.now }
  }

  // MARK: Request

  /// Bytes of the request body came.
  func receive(_ span: RawSpan) {
    noteMovement()
    guard let stream else { return discard(span.byteCount) }
    var taken = 0
    if incoming.isEmpty { taken = stream.with { $0.requestBody(span) } }
    if taken > 0 { connection.with { $0.session.consumed(taken, slot: slot) } }
    guard taken < span.byteCount else { return }
    // The upstream failed at that, and the request was answered.
    guard self.stream != nil else { return discard(span.byteCount - taken) }
    // The window is as large as the buffer: a peer that respects it cannot overrun it.
    if !incoming.append(span.extracting(droppingFirst: taken)) { fail(.flowControlError) }
  }

  private func discard(_ count: Int) {
    discardedBytes += count
    guard discardedBytes > Self.discardLimit else { return connection.with { $0.session.consumed(count, slot: slot) } }
    // The window stays closed until the answer has gone out, then the stream ends.
    connection.with {
      $0.session.dropped(count)
      if !resetIfAnswered() { $0.awaitSent(slot) }
    }
  }

  /// Ends a stream whose response has been sent although its request goes on: nobody reads that (RFC 9113, section 8.1).
  /// False while the response is on its way.
  @discardableResult
  func resetIfAnswered() -> Bool {
    guard stream == nil else { return true }
    return connection.with {
      guard $0.session.isSent(slot: slot) else { return false }
      $0.session.reset(slot: slot, .noError)
      $0.schedulePump()
      return true
    }
  }

  /// The request has ended.
  func requestEnded() {
    inputEnded = true
    guard incoming.isEmpty else { return }
    stream?.with { $0.endRequest() }
  }

  /// The stream can take more of the request body.
  func resumeRequestBody() {
    guard let stream, !incoming.isEmpty, !isLending else { return }
    isLending = true
    while !incoming.isEmpty, self.stream == stream {
      let taken = incoming.withBytes { bytes in stream.with { $0.requestBody(bytes) } }
      if taken == 0 { break }
      incoming.consume(taken)
      connection.with { $0.session.consumed(taken, slot: slot) }
    }
    isLending = false
    connection.with { $0.schedulePump() }
    // The upstream failed at that, and the request was answered.
    if self.stream == nil { dropIncoming() }
    guard incoming.isEmpty else { return }
    incoming.releaseIfEmpty()
    if inputEnded, self.stream == stream { stream.with { $0.endRequest() } }
  }

  // MARK: Response

  func sendInformational(_ stream: Stream) {
    connection.with {
      $0.session.submitInformational(stream.response, slot: slot)
      $0.schedulePump()
    }
  }

  func sendResponseHead(_ stream: Stream) {
    noteMovement()
    let framing = stream.response.framing
    let hasBody = stream.response.hasBody(for: stream.request.method)
    outputEnded = !hasBody || framing == .none || framing == .length(0)
    if stream.isTunnel {
      if stream.response.status == 101 { stream.response.becomeConnectResponse() }
      stream.response.removeFraming()
      outputEnded = false
    }
    connection.with {
      $0.session.submit(stream.response, slot: slot, endsStream: outputEnded)
      $0.schedulePump()
    }
  }

  func sendResponseBody(_ span: RawSpan) -> Int {
    if outputEnded { return span.byteCount }
    let taken = min(span.byteCount, Self.outgoingLimit - outgoing.count)
    if taken < span.byteCount, !isBlocked {
      isBlocked = true
      connection.with { $0.awaitRoom(slot) }
    }
    guard taken > 0, outgoing.append(span.extracting(first: taken)) else { return 0 }
    noteMovement()
    connection.with {
      $0.session.offer(taken, slot: slot)
      $0.schedulePump()
    }
    return taken
  }

  /// The upstream of a tunnel sends no more: our side of the stream ends. What the client sends goes on.
  func endTunnelOutput() {
    guard !outputEnded else { return }
    outputEnded = true
    let none = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    connection.with {
      $0.session.endBody(slot: slot, trailers: none)
      $0.schedulePump()
    }
  }

  func endResponse(_ stream: Stream) {
    self.stream = nil
    if isSettling { return settled() }
    connection.with {
      if !outputEnded { $0.session.endBody(slot: slot, trailers: stream.responseTrailers) }
      $0.schedulePump()
    }
    outputEnded = true
    dropIncoming()
  }

  /// The response cannot be completed.
  func abortResponse() {
    if isTimedOut { return fail(.cancel) }
    // RFC 9113, section 8.5, for the TCP connection of a tunnel.
    fail(stream?.with { $0.request.isConnect } == true ? .connectError : .internalError)
  }

  private func fail(_ code: HTTP2ErrorCode) {
    if isSettling {
      stream = nil
      return settled()
    }
    connection.with {
      $0.session.reset(slot: slot, code)
      $0.schedulePump()
    }
    let link = stream
    stream = nil
    outputEnded = true
    dropIncoming()
    if code == .flowControlError {
      link?.with { $0.downstreamClosed(.downstreamProtocolError, details: "http2.flow_control_error") }
    }
  }

  /// There is room again: true when the stream wants to hear of it.
  func hasRoom() -> Bool { outgoing.count <= Self.outgoingLimit / 2 }

  func resumeResponse() {
    isBlocked = false
    stream?.with { $0.downstreamDrained() }
  }

  // MARK: Ending

  /// The HTTP/2 stream is over. A request that is still with its stream has lost its client, unless both sides of a
  /// tunnel have ended. Returns whether the slot is free.
  func closed(_ code: HTTP2ErrorCode) -> Bool {
    isOpen = false
    if code == .noError, inputEnded, outputEnded, stream?.with({ $0.isTunnel }) == true {
      isSettling = true
      return false
    }
    let link = stream
    stream = nil
    dropIncoming()
    outgoing.removeAll()
    outgoing.releaseIfEmpty()
    link?.with {
      if code == .protocolError {
        $0.downstreamClosed(.downstreamProtocolError, details: "http2.violation.of.messaging.rule")
      } else {
        $0.downstreamClosed(.downstreamRemoteReset, details: "http2.remote_reset")
      }
    }
    return true
  }

  /// The tunnel is over.
  private func settled() {
    isSettling = false
    dropIncoming()
    outgoing.removeAll()
    outgoing.releaseIfEmpty()
    connection.with { $0.session.freeSlot(slot) }
  }

  /// The connection is gone, and the request with it; `details` is why.
  func connectionClosed(_ details: StaticString) {
    let link = stream
    stream = nil
    let isComplete = isSettling && incoming.isEmpty
    dropIncoming()
    outgoing.removeAll()
    outgoing.releaseIfEmpty()
    // The upstream connection has the last bytes of the tunnel: they need no client any more.
    if isComplete {
      link?.with { $0.downstream = .none }
    } else {
      link?.with { $0.downstreamClosed(details: details) }
    }
  }

  /// Ends the stream if nothing has moved on it for too long. Only where it is the client that we wait for, or both sides
  /// keep it open: what the upstream takes its time for, the route's timeout bounds.
  ///
  /// - Returns: when to look again, `Int64.max` for never.
  func endIfIdle(_ limits: ProxyLimits, now: Int64) -> Int64 {
    let limit = idleLimit(limits)
    guard limit > 0 else { return .max }
    guard now - lastMoved >= limit else { return lastMoved + limit }
    if let stream {
      isTimedOut = true
      stream.with { $0.idleTimedOut() }
    } else if !resetIfAnswered() {
      fail(.cancel)
    }
    return .max
  }

  /// How long the stream may be still as it is now, 0 for ever.
  private func idleLimit(_ limits: ProxyLimits) -> Int64 {
    guard isOpen || isSettling else { return 0 }
    guard let stream else { return limits.stallTimeoutMilliseconds }
    let (isTunnel, hasBegun, isGRPC) = stream.with { ($0.isTunnel, $0.state == .streaming, $0.request.isGRPC) }
    if isTunnel { return limits.idleTimeoutMilliseconds }
    if !outgoing.isEmpty { return limits.stallTimeoutMilliseconds }
    if inputEnded { return 0 }
    // Both directions are open: a call that waits for news, not one that is stuck. gRPC servers may begin to answer with
    // the first of them.
    return hasBegun || isGRPC ? limits.idleTimeoutMilliseconds : limits.stallTimeoutMilliseconds
  }

  private func dropIncoming() {
    guard !isLending else { return }
    connection.with { $0.session.consumed(incoming.count, slot: slot) }
    incoming.removeAll()
    incoming.releaseIfEmpty()
  }
}
