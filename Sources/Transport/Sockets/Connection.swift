import CLinux

/// One TCP connection on a loop, plain or TLS, with a buffer for each direction. What the bytes mean is up to the
/// subclass.
///
/// Input: the kernel's "readable" edge is remembered until a short read shows that the socket is drained, so a message
/// costs one read. Reading stops by itself when `input` is full: a subclass that does not consume exerts back-pressure,
/// and calls
/// `resumeInput()` when it has consumed.
///
/// Output: small pieces gather in `output` and leave in one write at the end of the loop turn; a large piece is written
/// directly from where it lies. `send` accepts only what can be sent or buffered; the rest waits at the source until
/// `outputDrained()`.
open class Connection: EventHandler {
  /// The life of a connection. (`public`, because only public code is inlined into other targets.)
  @frozen
  public enum State {
    case connecting
    case handshaking
    case open
    /// Nothing more will be sent; input is read and dropped until the peer closes, so that it gets to see our last
    /// bytes.
    case lingering
    case closed
  }

  package final let loop: EventLoop
  package final let descriptor: Int32
  package final let tls: TLSSession?
  package final let peer: SocketAddress
  /// Bytes received and not yet consumed.
  package final var input: ByteBuffer
  /// Bytes accepted and not yet sent.
  package final var output: ByteBuffer
  package final internal(set) var state: State
  /// The peer will send no more.
  package final internal(set) var inputEnded = false
  /// Why the peer will send no more, when it broke off instead of ending; see `outlives(_:)`.
  package final internal(set) var inputFailure: String?
  /// The peer does not read as fast as we write: `output` waits for the kernel.
  package final internal(set) var isOutputBlocked = false
  /// Bytes received, as the application sees them.
  package final internal(set) var bytesReceived = 0
  /// Bytes handed to the kernel or to OpenSSL.
  package final internal(set) var bytesSent = 0

  final var mayHaveInput = false
  /// `input` has what was read ahead of its turn, and nobody was told yet.
  final var hasReceived = false
  /// Nothing more can be sent, for this reason; what the peer had sent before is still to be read.
  final var outputFailure: String?
  /// The kernel has said that the peer sends no more, once: an end waits behind the bytes, and a short read must not hide it,
  /// also when those bytes are read much later.
  final var peerHasClosed = false
  final var isFlushScheduled = false
  private final var closesWhenFlushed = false
  private final var lingersAfterFlush = false
  private final var lingeredBytes = 0
  final var isReading = false
  /// The last read filled what was lent to it: bytes come in bulk, and are worth a large block.
  final var isBulk = false
  private final var lingerTimer = TimerID.none
  final var quietTimer = TimerID.none
  final var lastInput: Int64 = 0

  /// Bytes gathered for one write at the end of the turn; larger pieces are sent at once. One TLS record.
  static let gatherBytes = 16 * 1024
  /// Reads from one connection in one go before the others get their turn.
  static let readsPerTurn = 8
  /// What a read into a large block counts for.
  static let bulkReadCost = 4
  /// How long, and for how many bytes, a closing connection listens for the peer's close. Envoy's delayed close is 1 s.
  private static let lingerMilliseconds: Int64 = 1000
  private static let lingerBytes = 16 << 20
  /// What is read of it before others have their turn.
  private static let lingerBytesPerTurn = 256 << 10
  /// The tags of the base class's own timers; subclasses use tags below.
  private static let lingerTag: UInt8 = 255
  static let quietTag: UInt8 = 254
  /// After so long without input OpenSSL's record buffers go back, 33 kB a connection. Not sooner: a busy connection
  /// would take and give them with every message.
  static let quietMilliseconds: Int64 = 1000

  /// Takes over `descriptor` (non-blocking). `isConnecting` for a connection that we opened and that is still in
  /// progress. The connection is adopted by the loop and lives until it closes.
  ///
  /// - Throws: `SystemError` when the loop cannot watch the descriptor; the descriptor is closed then.
  package init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws {
    self.loop = loop
    self.descriptor = descriptor
    self.peer = peer
    self.tls = tls
    input = ByteBuffer(pool: loop.buffers)
    output = ByteBuffer(pool: loop.buffers)
    state = isConnecting ? .connecting : (tls == nil ? .open : .handshaking)
    super.init()
    do {
      try loop.register(descriptor, self, for: [.readable, .writable, .peerClosed])
    } catch {
      CLinux.close(descriptor)
      state = .closed
      throw error
    }
    loop.adopt(self)
  }

  /// Goes on with the socket, the TLS session and the buffers of `other`, which is over without having been closed: the
  /// protocol that is spoken turned out to be another one. `begin()` follows.
  package init(takingOver other: Connection) {
    loop = other.loop
    descriptor = other.descriptor
    peer = other.peer
    tls = other.tls
    input = ByteBuffer(pool: loop.buffers)
    output = ByteBuffer(pool: loop.buffers)
    state = other.state
    inputEnded = other.inputEnded
    isOutputBlocked = other.isOutputBlocked
    bytesReceived = other.bytesReceived
    bytesSent = other.bytesSent
    mayHaveInput = true
    super.init()
    swap(&input, &other.input)
    swap(&output, &other.output)
    loop.modify(descriptor, self, for: [.readable, .writable, .peerClosed])
    loop.adopt(self)
    other.loop.cancel(&other.lingerTimer)
    other.loop.cancel(&other.quietTimer)
    other.state = .closed
    loop.release(other)
  }

  /// Handles what `other` had received, and reads on.
  package final func begin() {
    if !input.isEmpty || inputEnded { inputAvailable() }
    if !output.isEmpty { scheduleFlush() }
    resumeInput()
  }

  @available(*, unavailable, message: "a connection has a descriptor")
  package override init() { fatalError("a connection has a descriptor") }

  // MARK: For subclasses

  /// TCP is connected and nothing was sent: what goes out before TLS goes out here, with `sendFirst`.
  open func socketConnected() {}

  /// The connection is usable: connected, and the TLS handshake is done. Not called for plain accepted connections.
  open func connectionOpened() {}

  /// There are new bytes in `input`, or `inputEnded` became true.
  open func inputAvailable() {}

  /// `output` was blocked and is empty now.
  open func outputDrained() {}

  /// The connection broke: reset, handshake failure, connect failure. It is closed already.
  open func connectionFailed(_ failure: ConnectionFailure) {}

  /// Nothing came for a while on a connection with TLS: what it does not need now can go.
  open func becameQuiet() {}

  /// The peer broke off. True when the bytes that came before are still worth something: then `inputEnded` is set and so is
  /// `inputFailure`, nothing more is sent, and the subclass fails or closes the connection when it has used them.
  open func outlives(_ reason: String) -> Bool { false }

  /// Whether the peer's last words matter when nothing more can be sent to it; if not, the connection fails at once.
  open var hearsPeerOut: Bool { false }

  /// The connection is closed, for whatever reason; called once, last. Cancel timers here.
  open func connectionClosed() {}

  /// Lends the received bytes to `body`; consuming them is a second step.
  package final func withInput<Result>(_ body: (RawSpan) -> Result) -> Result {
    input.withBytes(body)
  }

  // MARK: Events

  open override func turnEnded() {
    guard isFlushScheduled else { return }
    isFlushScheduled = false
    flush()
    finishCloseIfFlushed()
  }

  /// Reads what is small; bodies are read when their turn comes.
  open override func receive(_ events: ReadyEvents) {
    guard state == .open, events.contains(.readable), !mayHaveInput, input.isEmpty, !isBulk, !inputEnded,
      events.isDisjoint(with: [.peerClosed, .hangUp, .error])
    else { return }
    mayHaveInput = true
    tls?.socketBecameReadable(peerClosed: false)
    receive()
    hasReceived = true
  }

  open override func ready(_ events: ReadyEvents) {
    switch state {
    case .closed: return
    case .connecting: finishConnecting(events)
    case .handshaking: advanceHandshake(events)
    case .lingering: linger()
    case .open: readyWhileOpen(events)
    }
  }

  private final func readyWhileOpen(_ events: ReadyEvents) {
    if events.contains(.writable), isOutputBlocked, outputFailure == nil, inputFailure == nil { unblockOutput() }
    guard state == .open else { return }
    if hasReceived { return readInput() }
    if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .error]) {
      // An end was read already: a reset behind it shows in the events alone.
      if inputEnded, inputFailure == nil, events.contains(.error) { return inputBroke("connection reset by peer") }
      mayHaveInput = true
      if !events.isDisjoint(with: [.peerClosed, .hangUp, .error]) { peerHasClosed = true }
      tls?.socketBecameReadable(peerClosed: peerHasClosed)
      if !isReading { readInput() }
    } else if mayHaveInput, !isReading {
      readInput()
    }
  }

  private final func unblockOutput() {
    isOutputBlocked = false
    flush()
    guard state == .open, !isOutputBlocked else { return }
    if closesWhenFlushed { return finishCloseIfFlushed() }
    outputDrained()
  }

  private final func finishConnecting(_ events: ReadyEvents) {
    let code = shim_get_socket_error(descriptor)
    guard code == 0 else { return fail(.connect(SystemError.text(of: code))) }
    socketConnected()
    guard state == .connecting else { return }
    if tls == nil {
      open()
      // The peer may have spoken, and even ended, already: this event was the only one to tell.
      if !events.isDisjoint(with: [.readable, .peerClosed]), state == .open { readyWhileOpen(events) }
    } else {
      state = .handshaking
      advanceHandshake([.readable])
    }
  }

  private final func advanceHandshake(_ events: ReadyEvents) {
    guard let tls else { return }
    tls.socketBecameReadable(peerClosed: !events.isDisjoint(with: [.peerClosed, .hangUp, .error]))
    switch tls.handshake() {
    case .done: open()
    case .wantRead, .wantWrite: return
    case .closed: fail(.handshake("connection closed during the TLS handshake"))
    case .failed: fail(.handshake(tls.failure))
    }
  }

  private final func open() {
    state = .open
    mayHaveInput = true
    connectionOpened()
    guard state == .open else { return }
    // The peer's first bytes may have come with the end of the handshake: no new edge will tell.
    if tls != nil { readInput() }
  }

  // MARK: Closing

  /// Closes at once; what is in `output` is lost. Unread input makes the kernel send a reset.
  package final func close() {
    guard state != .closed else { return }
    state = .closed
    loop.cancel(&lingerTimer)
    loop.cancel(&quietTimer)
    // The buffers may be lent to a caller further up: they go when the connection goes, at the end of the turn.
    CLinux.close(descriptor)
    connectionClosed()
    loop.release(self)
  }

  /// Closes with a TCP reset, so that the peer cannot take what it got for complete.
  package final func reset() {
    guard state != .closed else { return }
    shim_set_zero_linger(descriptor)
    close()
  }

  /// Sends what is in `output`, then closes.
  ///
  /// - Parameter lingering: listen on for a while. Needed where the peer may still be sending: closing with unread
  ///   input
  ///   resets the connection, and the peer may lose our last bytes (RFC 9112, section 9.6).
  package final func closeAfterFlush(lingering: Bool) {
    guard state == .open else { return close() }
    closesWhenFlushed = true
    lingersAfterFlush = lingering
    if !isFlushScheduled { scheduleFlush() }
  }

  /// Tells the peer that we send no more, and keeps receiving.
  package final func endOutput() {
    guard state == .open else { return }
    flush()
    guard output.isEmpty else { return }
    if let tls { _ = tls.shutdown() }
    shutdown(descriptor, Int32(SHUT_WR))
  }

  private final func finishCloseIfFlushed() {
    guard closesWhenFlushed, state == .open, output.isEmpty else { return }
    if let tls { _ = tls.shutdown() }
    guard lingersAfterFlush, !inputEnded else { return close() }
    shutdown(descriptor, Int32(SHUT_WR))
    state = .lingering
    input.removeAll()
    loop.arm(&lingerTimer, after: Self.lingerMilliseconds, owner: self, tag: Self.lingerTag)
    linger()
  }

  private final func linger() {
    let turnEnd = lingeredBytes + Self.lingerBytesPerTurn
    while lingeredBytes < Self.lingerBytes {
      guard lingeredBytes < turnEnd else { return loop.runAgain(self) }
      input.removeAll()
      let count = unsafe input.fill { unsafe recv(descriptor, $0, $1, 0) }
      if count < 0, shim_errno() == EAGAIN {
        input.releaseIfEmpty()
        return
      }
      guard count > 0 else { break }
      lingeredBytes += count
      input.removeAll()
    }
    close()
  }

  /// Closes because of `failure`, and tells the subclass why.
  package final func fail(_ failure: ConnectionFailure) {
    guard state != .closed else { return }
    connectionFailed(failure)
    close()
  }

  open override func timerFired(_ tag: UInt8) {
    switch tag {
    case Self.lingerTag:
      lingerTimer = .none
      close()
    case Self.quietTag: quietTimerFired()
    default: break
    }
  }
}
