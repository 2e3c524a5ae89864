import Transport
import Wire

/// Answers that the gateway gives itself.
extension Stream {
  /// Answers with a text that is known at compile time.
  func reply(_ status: Int, details: StaticString, body: StaticString = "") {
    reply(status, details: details, bytes: body.utf8CodeUnitCount == 0 ? nil : Array(body.description.utf8))
  }

  /// Answers with a `location`, as redirects do.
  func reply(_ status: Int, details: StaticString, location: [UInt8]) {
    beginReply(status, details: details)
    response.headers.append(.location, location.span.raw)
    endReply(nil)
  }

  /// Answers with a text/plain body.
  func reply(_ status: Int, details: StaticString, bytes: [UInt8]?) {
    beginReply(status, details: details)
    endReply(bytes)
  }

  /// Answers that the upstream failed, in Envoy's words.
  func replyFailure(_ failure: UpstreamFailure, reason: String?) {
    var text = "upstream connect error or disconnect/reset before headers. "
    if attempts > 1 { text = "upstream connect error or disconnect/reset before headers. retried and the latest " }
    text += "reset reason: \(failure.resetReason)"
    if let reason, !reason.isEmpty { text += ", transport failure reason: \(reason)" }
    // Envoy's chargeUpstreamAbort: what the upstream did not answer is an answer of its own with this status.
    cluster?.with { $0.counters.responses[min(5, failure.status / 100)] += 1 }
    beginReply(failure.status, details: failure.details)
    if failure == .overflow { response.headers.append(.xEnvoyOverloaded, "true") }
    endReply(Array(text.utf8))
  }

  func beginReply(_ status: Int, details: StaticString) {
    cancelUpstream()
    letGoOfEndpoint()
    self.details = details
    response.reset()
    response.status = status
    state = .streaming
    responseStartNanoseconds = loop.nowNanoseconds
  }

  func endReply(_ body: [UInt8]?) {
    if isCrossOrigin { markCrossOrigin() }
    if request.isGRPC, !request.isConnect { return endGRPCReply(grpcCode, message: body) }
    finishReply(body)
  }

  /// Completes the head and sends the answer.
  func finishReply(_ body: [UInt8]?) {
    let size = body?.count ?? 0
    worker.with { $0.finishLocalReply(&response, contentLength: size) }
    if isRouteAnswer, route.responseHeaders >= 0 { generation?.with { editAnswer($0.snapshot) } }
    localBody = request.method == .head ? nil : body
    localBodySent = 0
    sendResponseHead()
    if localBody != nil { sendLocalBody() } else { endResponse() }
  }

  /// Answers a request whose head was refused before it became a request.
  func refuse(
    _ refusal: HTTP1Refusal, from link: DownstreamLink, source: StreamSource, generation: Ref<WorkerGeneration>
  ) {
    downstream = link
    self.source = source
    self.generation = generation
    generation.with { $0.activeStreams += 1 }
    startNanoseconds = loop.nowNanoseconds
    state = .routing
    requestEnded = true
    request.reset()
    worker.with {
      $0.counters.requests += 1
      $0.counters.activeRequests += 1
    }
    flags.insert(.downstreamProtocolError)
    reply(refusal.status, details: refusal.detail)
  }

  /// The request body turned out to be malformed: an answer if none has begun, else the end.
  func refuseBody(_ refusal: HTTP1Refusal) {
    flags.insert(.downstreamProtocolError)
    guard state != .streaming else { return abort(details: refusal.detail) }
    reply(refusal.status, details: refusal.detail)
  }

  /// Nothing moved for too long: 408 while the request was awaited, 504 while the response was.
  func idleTimedOut() {
    flags.insert(.streamIdleTimeout)
    guard state != .streaming else { return abort(details: "stream_idle_timeout") }
    reply(requestEnded ? 504 : 408, details: "stream_idle_timeout", body: "stream timeout")
  }

  /// Ends a response that has begun: the client must not take it for complete.
  private func abort(details: StaticString) {
    self.details = details
    let link = downstream
    cancelUpstream()
    link.abortResponse()
    finish()
  }

  /// Sends what the downstream takes of the local body, and ends the response after the last byte.
  func sendLocalBody() {
    guard let localBody else { return }
    let rest = localBody.span.raw.extracting(droppingFirst: localBodySent)
    localBodySent += responseBody(rest)
    if localBodySent == localBody.count { endResponse() }
  }
}
