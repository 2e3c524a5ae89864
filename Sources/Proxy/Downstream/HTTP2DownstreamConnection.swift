import Transport
import Wire

/// A client's HTTP/2 connection: many requests at a time, each in an exchange of its own.
///
/// Frames of all streams gather during a loop turn and leave in one write at its end (`pump`).
final class HTTP2DownstreamConnection: DownstreamConnection {
  let session: HTTP2Session
  /// By slot. The links are for use without reference counting.
  private var exchanges: [HTTP2DownstreamExchange] = []
  private var links: [Ref<HTTP2DownstreamExchange>] = []
  /// Slots whose stream waits for room in `outgoing`.
  private var blocked: [Int32] = []
  /// Slots whose answer is on its way while more of their request comes than is read to no purpose.
  private var answered: [Int32] = []
  /// The slot of the last head that was refused for its size.
  private var lastRefused: Int32 = -1
  private var isProcessing = false
  private var isPumpScheduled = false
  private var isShuttingDown = false
  /// The peer broke the protocol: what it still sends is not looked at.
  private var isBroken = false
  private var timer = TimerID.none
  private var stallTimer = TimerID.none
  private var headTimer = TimerID.none
  private var shutdownTimer = TimerID.none
  /// As of the last look at whether the client reads.
  private var bytesSentBefore = 0
  private var bytesSentSince: Int64 = 0

  /// Between the announcement that the connection will close and the refusal of new streams: a round trip, amply.
  private static let shutdownMilliseconds: Int64 = 1000

  private enum Timer {
    static let idle: UInt8 = 1
    static let head: UInt8 = 2
    static let shutdown: UInt8 = 3
    static let stall: UInt8 = 4
  }

  override init(takingOver other: DownstreamConnection) {
    var settings = HTTP2Settings()
    other.worker.with {
      settings.maxHeaderBytes = $0.limits.http1.maxHeaderBytes
      settings.maxHeaderCount = $0.limits.http1.maxHeaderCount
    }
    session = HTTP2Session(.server, settings: settings, memory: other.worker.with { $0.http2Memory })
    super.init(takingOver: other)
    worker.with {
      $0.counters.http2Connections += 1
      loop.arm(&headTimer, after: max(1, $0.limits.headerTimeoutMilliseconds), owner: self, tag: Timer.head)
    }
    noteInput()
    schedulePump()
  }

  @available(*, unavailable, message: "a connection begins with HTTP/1")
  override init(
    acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress, tls: TLSSession?
  ) throws { fatalError("a connection begins with HTTP/1") }

  // MARK: Receiving

  override func inputAvailable() {
    guard !isProcessing else { return }
    if isBroken { return input.removeAll() }
    isProcessing = true
    var isRefused = false
    if !input.isEmpty {
      var progress = withInput { session.receive($0, now: loop.now) }
      handleEvents()
      while case .paused(let count) = progress, state == .open {
        endRefused()
        input.consume(count)
        progress = withInput { session.receive($0, now: loop.now) }
        handleEvents()
      }
      isRefused = progress != .consumed
      input.removeAll()
    }
    isProcessing = false
    guard state == .open else { return }
    if isRefused { return breakOff() }
    if inputEnded { return close() }
    rearmTimers()
    schedulePump()
  }

  /// Streams have timeouts of their own, and none a timer: the connection looks after them together, when the first of
  /// them may be due.
  private func noteInput() {
    worker.with {
      let limits = $0.limits
      if limits.idleTimeoutMilliseconds > 0 {
        loop.arm(&timer, after: limits.idleTimeoutMilliseconds, owner: self, tag: Timer.idle)
      }
      if session.activeStreams > 0, !stallTimer.isArmed, limits.stallTimeoutMilliseconds > 0 {
        loop.arm(&stallTimer, after: limits.stallTimeoutMilliseconds, owner: self, tag: Timer.stall)
      }
    }
  }

  private func rearmTimers() {
    noteInput()
    worker.with {
      if session.isInsideHead {
        if !headTimer.isArmed {
          loop.arm(&headTimer, after: max(1, $0.limits.headerTimeoutMilliseconds), owner: self, tag: Timer.head)
        }
      } else if session.hasSeenStream {
        loop.cancel(&headTimer)
      }
    }
  }

  /// The peer broke the protocol: it gets to know why, then the connection closes.
  private func breakOff() {
    isBroken = true
    worker.with {
      $0.counters.http2ProtocolErrors += 1
      $0.counters.refusedRequests += 1
    }
    pump()
    if state == .open { closeAfterFlush(lingering: true) }
  }

  private func handleEvents() {
    var index = 0
    // Handling one may add others.
    while index < session.eventCount, state == .open {
      handle(session.event(at: index))
      index += 1
    }
    session.clearEvents()
  }

  private func handle(_ event: HTTP2Event) {
    switch event.kind {
    case .head: beginRequest(event)
    case .headTooLarge: refuse(event)
    case .data:
      let range = Int(event.offset)..<Int(event.offset + event.count)
      exchange(event.slot)?.with { exchange in withInput { exchange.receive($0.extracting(range)) } }
    case .trailers:
      guard let exchange = exchange(event.slot) else { return session.discard(event) }
      exchange.with { exchange in
        guard let stream = exchange.stream else { return session.discard(event) }
        stream.with { session.take(event, into: &$0.requestTrailers) }
        exchange.requestEnded()
      }
    case .ended: exchange(event.slot)?.with { $0.requestEnded() }
    case .closed:
      if exchange(event.slot)?.with({ $0.closed(event.errorCode) }) ?? true { session.freeSlot(event.slot) }
      if isShuttingDown { schedulePump() }
    case .goAway, .settings: break
    }
  }

  /// The exchange of a slot; nil for a stream whose head never became a request.
  private func exchange(_ slot: Int32) -> Ref<HTTP2DownstreamExchange>? {
    Int(slot) < links.count ? links[Int(slot)] : nil
  }

  private func makeExchange(_ slot: Int32) -> Ref<HTTP2DownstreamExchange> {
    while links.count <= Int(slot) {
      let exchange = HTTP2DownstreamExchange(connection: self, slot: Int32(links.count))
      exchanges.append(exchange)
      links.append(Ref(exchange))
    }
    return links[Int(slot)]
  }

  private func beginRequest(_ event: HTTP2Event) {
    let exchange = makeExchange(event.slot)
    worker.with { worker in
      adoptGeneration(worker)
      let stream = worker.streams.take()
      exchange.with { $0.begin(stream, endsStream: event.endsStream) }
      stream.with {
        session.take(event, into: &$0.request)
        $0.requestEnded = event.endsStream
        $0.begin(from: .http2(exchange), source: source, generation: worker.currentGeneration)
        if event.endsStream || $0.request.wantsUpgrade { $0.armRouteTimer() }
      }
    }
  }

  /// Sends the answer to a head that goes on and on, and ends its stream: what is left of the head means nothing then.
  private func endRefused() {
    guard lastRefused >= 0 else { return }
    gatherFrames()
    guard state == .open, links[Int(lastRefused)].with({ $0.resetIfAnswered() }) else { return }
    lastRefused = -1
    gatherFrames()
    if state == .open { handleEvents() }
  }

  /// Answers 431 to a head that is too large; the rest of the connection goes on.
  private func refuse(_ event: HTTP2Event) {
    session.discard(event)
    lastRefused = event.slot
    let exchange = makeExchange(event.slot)
    worker.with { worker in
      worker.counters.refusedRequests += 1
      adoptGeneration(worker)
      let stream = worker.streams.take()
      exchange.with { $0.begin(stream, endsStream: event.endsStream) }
      stream.with {
        $0.refuse(
          .headersTooLarge, from: .http2(exchange), source: source, generation: worker.currentGeneration)
      }
    }
  }

  // MARK: Sending

  /// Something is to be sent: it leaves at the end of the turn.
  func schedulePump() {
    guard !isPumpScheduled else { return }
    isPumpScheduled = true
    loop.atEndOfTurn(self)
  }

  /// The stream of `slot` waits for room.
  func awaitRoom(_ slot: Int32) { blocked.append(slot) }

  /// The stream of `slot` is to end when its answer has been sent.
  func awaitSent(_ slot: Int32) {
    if !answered.contains(slot) { answered.append(slot) }
  }

  override func turnEnded() {
    if isPumpScheduled {
      isPumpScheduled = false
      if state == .open { pump() }
    }
    super.turnEnded()
  }

  override func becameQuiet() { session.releaseIdleMemory() }

  override func outputDrained() { schedulePump() }

  private func pump() {
    gatherFrames()
    guard state == .open else { return }
    handleEvents()
    resumeBlocked()
    if !answered.isEmpty { answered.removeAll { slot in links[Int(slot)].with { $0.resetIfAnswered() } } }
    guard state == .open else { return }
    // A connection error, said with GOAWAY: nothing more is read. Or the client has said goodbye, and all is done.
    if session.isFinished, !isBroken {
      guard session.isLeaving, session.activeStreams == 0 else { return breakOff() }
      if !shutdownTimer.isArmed { isShuttingDown = true }
    }
    if isShuttingDown { closeIfDone() }
  }

  private func gatherFrames() {
    let goesOn = writeFrames(of: session) { slot, count in
      links[Int(slot)].with {
        $0.lastMoved = loop.now
        return writeBodyFrame(count, from: &$0.outgoing, of: session)
      }
    }
    if !goesOn { close() }
  }

  private func resumeBlocked() {
    var index = 0
    while index < blocked.count {
      let link = links[Int(blocked[index])]
      guard link.with({ $0.hasRoom() }) else {
        index += 1
        continue
      }
      blocked.swapAt(index, blocked.count - 1)
      blocked.removeLast()
      // It may offer more, and be blocked again: that comes to the end of the list.
      link.with { $0.resumeResponse() }
    }
  }

  // MARK: Ending

  override func drain() {
    guard state == .open, !isShuttingDown else { return }
    isShuttingDown = true
    // A connection that was just made gets to send its first request.
    if session.activeStreams > 0 || !session.hasSeenStream {
      session.announceShutdown()
      loop.arm(&shutdownTimer, after: Self.shutdownMilliseconds, owner: self, tag: Timer.shutdown)
    }
    schedulePump()
  }

  private func closeIfDone() {
    guard session.activeStreams == 0, state == .open, !isBroken else { return }
    guard session.hasSeenStream || !shutdownTimer.isArmed else { return }
    isBroken = true
    session.goAway(.noError)
    gatherFrames()
    // A request may be on its way: closing with it unread would be a reset, and take the GOAWAY along.
    if state == .open { closeAfterFlush(lingering: true) }
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    loop.cancel(&stallTimer)
    loop.cancel(&headTimer)
    loop.cancel(&shutdownTimer)
    for link in links { link.with { $0.connectionClosed(disconnectDetails) } }
    worker.with { $0.connectionClosed(self) }
  }

  override func timerFired(_ tag: UInt8) {
    switch tag {
    case Timer.head:
      headTimer = .none
      session.terminate(.noError)
      breakOff()
    case Timer.shutdown:
      shutdownTimer = .none
      session.goAway(.noError)
      for link in links { link.with { _ = $0.resetIfAnswered() } }
      schedulePump()
    case Timer.idle:
      timer = .none
      idleTimedOut()
    case Timer.stall:
      stallTimer = .none
      endStalled()
    default: super.timerFired(tag)
    }
  }

  /// Envoy's rule for connections: without streams they go, with streams each has its own timeouts.
  private func idleTimedOut() {
    if session.activeStreams == 0, !isOutputBlocked {
      isShuttingDown = true
      return pump()
    }
    worker.with { loop.arm(&timer, after: $0.limits.idleTimeoutMilliseconds, owner: self, tag: Timer.idle) }
  }

  /// Ends streams on which nothing has moved for too long, and looks again when the next may be due.
  private func endStalled() {
    let now = loop.now
    let limits = worker.with { $0.limits }
    let stall = limits.stallTimeoutMilliseconds
    if bytesSent != bytesSentBefore || !isOutputBlocked {
      bytesSentBefore = bytesSent
      bytesSentSince = now
    }
    // It does not read, so it would not see a goodbye either.
    if isOutputBlocked, now - bytesSentSince >= stall { return close() }
    var next = isOutputBlocked ? bytesSentSince + stall : Int64.max
    for link in links { next = min(next, link.with { $0.endIfIdle(limits, now: now) }) }
    guard state == .open else { return }
    schedulePump()
    guard session.activeStreams > 0 || isOutputBlocked else { return }
    // A stream that waits for its upstream may wait for its client later.
    loop.arm(&stallTimer, after: min(max(next - now, 1), stall), owner: self, tag: Timer.stall)
  }
}
