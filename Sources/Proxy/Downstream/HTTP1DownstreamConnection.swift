import Transport
import Wire

/// A client's HTTP/1 connection: one request after the other, pipelined ones in order.
///
///     idle ──first byte──▶ head ──complete──▶ body ──end──▶ awaitingResponse ──response ended──▶ idle
///                                               └──response ended early──▶ discarding ──end──▶ idle
final class HTTP1DownstreamConnection: DownstreamConnection {
  /// What the connection reads next.
  enum Phase: UInt8 {
    /// Between requests.
    case idle
    /// Inside a request head.
    case head
    /// Inside a request body that goes to the stream.
    case body
    /// The request is complete, the response is not.
    case awaitingResponse
    /// The response is complete, the request body is not: the rest of it is read and dropped, within a bound.
    case discarding
    /// Nothing more is read: the connection closes when its output is flushed.
    case closing
  }

  var phase = Phase.idle
  var stream: Ref<Stream>?
  var parser = HTTP1HeadParser()
  var reader = HTTP1BodyReader()
  var writer = HTTP1BodyWriter()
  var isProcessing = false
  var requestIsPersistent = true
  var responseIsPersistent = true
  var awaitsContinue = false
  /// The next request waits until the answers to those before it have left.
  private var awaitsRoom = false
  var isHeadTimed = false
  /// Protocols were switched: bytes pass as they are, both ways, until one side ends.
  var isTunnel = false
  /// The upstream of the tunnel has ended; our end follows the last byte.
  var endsTunnelOutput = false
  var hasEndedTunnelOutput = false
  var discardedBytes = 0
  /// The answer has begun while the request goes on, and both sides are still: not a client that is stuck.
  var isQuiet = false
  var requestCount = 0
  var timer = TimerID.none
  /// While the TLS handshake is in progress.
  private var handshakePlace: Int32 = -1

  /// Body bytes of an already answered request that are read to keep the connection; more costs it.
  static let discardLimitBytes = 256 * 1024

  /// Milliseconds that a connection which comes while the worker drains has to begin a request.
  private static let idleWhileDraining: Int64 = 1000

  enum Timer {
    static let idle: UInt8 = 1
    static let head: UInt8 = 2
    static let body: UInt8 = 3
    /// The client has to send, or to take what waits for it.
    static let stall: UInt8 = 4
  }

  override init(
    acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress, tls: TLSSession?
  ) throws {
    try super.init(acceptor: acceptor, worker: worker, descriptor: descriptor, peer: peer, tls: tls)
    if tls == nil {
      timeFirstRequest(worker)
    } else {
      handshakePlace = worker.handshakes.enter(.http(Ref(self)), now: loop.now)
      armTimer(worker.limits.handshakeTimeoutMilliseconds, Timer.idle)
    }
  }

  @available(*, unavailable, message: "a connection begins with HTTP/1")
  override init(takingOver other: DownstreamConnection) { fatalError("a connection begins with HTTP/1") }

  // MARK: Reading

  override func connectionOpened() {
    worker.with {
      $0.counters.handshakes += 1
      $0.handshakes.leave(&handshakePlace)
      timeFirstRequest($0)
    }
    if let tls, tls.hasVerifiedPeer { source.hasVerifiedClient = true }
    if tls?.hasChosenHTTP2 == true { becomeHTTP2() }
  }

  /// While the worker drains, a connection that asks for nothing must not hold it up.
  private func timeFirstRequest(_ worker: Worker) {
    armTimer(worker.isDraining ? Self.idleWhileDraining : worker.limits.idleTimeoutMilliseconds, Timer.idle)
  }

  /// The client speaks HTTP/2: agreed on by ALPN, or by its first bytes (prior knowledge, RFC 9113, section 3.3).
  private func becomeHTTP2() {
    loop.cancel(&timer)
    phase = .closing
    HTTP2DownstreamConnection(takingOver: self).begin()
  }

  override func inputAvailable() {
    process()
  }

  override func turnEnded() {
    super.turnEnded()
    // Requests that came in one piece with those before them: no event will tell of them.
    if awaitsRoom, state == .open, !isOutputBlocked { loop.runAgain(self) }
  }

  override func ready(_ events: ReadyEvents) {
    super.ready(events)
    guard awaitsRoom, state == .open, acceptsOutput else { return }
    process()
    resumeInput()
  }

  override func outputDrained() {
    if endsTunnelOutput { return finishTunnelOutput() }
    if let stream { stream.with { $0.downstreamDrained() } }
    process()
  }

  /// Handles as much of the input as possible. Not re-entered: a local reply that ends inside returns to this loop.
  func process() {
    guard !isProcessing else { return }
    isProcessing = true
    while step() {}
    isProcessing = false
    if inputEnded { handleEndOfInput() }
  }

  /// Makes one step; false when it has to wait for bytes, for room, or for the response.
  private func step() -> Bool {
    switch phase {
    case .idle:
      guard !input.isEmpty else { return false }
      awaitsRoom = !acceptsOutput
      guard !awaitsRoom else { return false }
      if requestCount == 0 {
        switch withInput({ HTTP2Preface.compare($0) }) {
        case .no: break
        case .perhaps:
          worker.with { armTimer($0.limits.headerTimeoutMilliseconds, Timer.head) }
          return false
        case .yes:
          becomeHTTP2()
          return false
        }
      }
      takeStream()
      phase = .head
      isHeadTimed = false
      return true
    case .head: return readHead()
    case .body: return readBody()
    case .discarding: return discardBody()
    case .awaitingResponse, .closing: return false
    }
  }

  private func takeStream() {
    parser.reset()
    worker.with { stream = $0.streams.take() }
  }

  private func readHead() -> Bool {
    guard let stream else { return false }
    let progress = stream.with { stream in
      worker.with { worker in
        withInput { parser.parseRequest($0, into: &stream.request, limits: worker.limits.http1) }
      }
    }
    switch progress {
    case .needMore:
      if input.isFull, !input.reserve(1) { refuse(.headersTooLarge) } else { timeHead() }
      return false
    case .refused(let refusal):
      refuse(refusal)
      return false
    case .complete(let consumed):
      input.consume(consumed)
      beginRequest(stream)
      return true
    }
  }

  /// Limits the time for a head that did not come at once, as most do. Once a request: bytes that drip in do not buy
  /// more.
  private func timeHead() {
    guard !isHeadTimed else { return }
    isHeadTimed = true
    worker.with { armTimer($0.limits.headerTimeoutMilliseconds, Timer.head) }
  }

  private func beginRequest(_ stream: Ref<Stream>) {
    requestCount += 1
    let framing = stream.with { stream in
      requestIsPersistent = stream.request.isPersistent
      awaitsContinue = stream.request.expectsContinue
      return stream.request.framing
    }
    responseIsPersistent = true
    reader.begin(framing)
    worker.with { worker in
      let isComplete = reader.isComplete
      if isComplete { armTimer(worker.limits.idleTimeoutMilliseconds, Timer.idle) } else { timeStall() }
      adoptGeneration(worker)
      phase = isComplete ? .awaitingResponse : .body
      stream.with {
        $0.requestEnded = isComplete && !$0.request.wantsUpgrade
        $0.begin(from: .http1(Ref(self)), source: source, generation: worker.currentGeneration)
        if isComplete, self.stream != nil { $0.armRouteTimer() }
      }
    }
  }

  private func readBody() -> Bool {
    guard let stream else { return false }
    while true {
      let step = stream.with { stream in withInput { reader.next($0, trailers: &stream.requestTrailers) } }
      switch step {
      case .needMore(let consumed):
        input.consume(consumed)
        if consumed == 0, input.isFull, !input.reserve(1) { refuseBody(.trailersTooLarge) }
        return false
      case .data(let offset, let count):
        let taken = stream.with { stream in
          withInput { stream.requestBody($0.extracting(offset..<offset + count)) }
        }
        input.consume(reader.took(taken, at: offset))
        if taken > 0 { noteMovement() }
        if phase != .body { return true }
        if taken < count { return false }
      case .end(let consumed):
        input.consume(consumed)
        phase = .awaitingResponse
        stream.with { $0.endRequest() }
        return true
      case .refused(let refusal):
        refuseBody(refusal)
        return false
      }
    }
  }

  private func discardBody() -> Bool {
    var trailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    while phase == .discarding {
      switch withInput({ reader.next($0, trailers: &trailers) }) {
      case .needMore(let consumed):
        input.consume(consumed)
        return false
      case .data(let offset, let count):
        input.consume(reader.took(count, at: offset))
        discardedBytes += count
        if discardedBytes > Self.discardLimitBytes { closeNow() }
      case .end(let consumed):
        input.consume(consumed)
        becomeIdle()
        return true
      case .refused: closeNow()
      }
    }
    return false
  }

  /// The stream can take more of the request body.
  func resumeRequestBody() {
    guard phase == .body else { return }
    process()
    resumeInput()
  }

  private func handleEndOfInput() {
    switch phase {
    case .idle, .head:
      abandonStream()
      closeNow(lingering: false)
    case .body where isTunnel:
      // The client sends no more; what the upstream still has to say goes on.
      guard input.isEmpty else { return }
      phase = .awaitingResponse
      stream?.with { $0.endRequest() }
    case .body:
      // The client broke off inside its request. A response that has begun must not look complete, where it ends with the
      // connection.
      let hasBegun = stream?.with { $0.state == .streaming } == true
      detachStream()?.with { $0.downstreamClosed() }
      if hasBegun { reset() } else if state != .closed { close() }
    case .discarding: close()
    // A half-closed client still reads: it gets its answer (RFC 9112, section 9.6). But most that end are gone, and
    // nothing tells the two apart: an answer that takes long is not waited for.
    case .awaitingResponse where !isTunnel && stream?.with { $0.state == .streaming } != true:
      worker.with { armTimer($0.limits.halfClosedTimeoutMilliseconds, Timer.idle) }
    case .awaitingResponse, .closing: break
    }
  }

  /// The worker drains: an idle connection closes now, a busy one after its response.
  override func drain() {
    if phase == .idle, input.isEmpty { closeNow(lingering: false) }
  }

  // MARK: Ending

  override func connectionClosed() {
    loop.cancel(&timer)
    if phase == .head || phase == .idle {
      abandonStream()
    } else {
      detachStream()?.with { $0.downstreamClosed(details: disconnectDetails) }
    }
    worker.with {
      $0.handshakes.leave(&handshakePlace)
      $0.connectionClosed(self)
    }
  }

  override func timerFired(_ tag: UInt8) {
    guard tag <= Timer.stall else { return super.timerFired(tag) }
    timer = .none
    switch phase {
    case .head:
      refuse(.headerTimeout)
    case .idle, .closing, .discarding: close()
    case .awaitingResponse where inputEnded && !isTunnel:
      detachStream()?.with { $0.downstreamClosed() }
      if state == .open { close() }
    case .awaitingResponse where !isOutputBlocked && !isTunnel:
      // It is the upstream that takes its time; the route's timeout is for that.
      worker.with { armTimer($0.limits.idleTimeoutMilliseconds, Timer.idle) }
    case .body where !isTunnel && !isOutputBlocked && !isQuiet && stream?.with { $0.state == .streaming } == true:
      isQuiet = true
      worker.with {
        let limits = $0.limits
        armTimer(limits.idleTimeoutMilliseconds - limits.stallTimeoutMilliseconds, Timer.idle)
      }
    case .body, .awaitingResponse:
      stream?.with { $0.idleTimedOut() }
      if state == .open { closeNow() }
    }
  }
}
