import Routing
import Transport
import Wire

/// Our HTTP/2 connection to an endpoint, shared by many requests at a time.
final class HTTP2UpstreamConnection: Connection {
  let cluster: UpstreamCluster
  let upstreamEndpoint: UpstreamEndpoint
  let session: HTTP2Session
  private(set) var localAddress: SocketAddress?

  private var owned: [HTTP2UpstreamExchange] = []
  private var free: [Ref<HTTP2UpstreamExchange>] = []
  /// Exchanges that wait for the connection to be established.
  private var waiting: [Ref<HTTP2UpstreamExchange>] = []
  private var bySlot: [Ref<HTTP2UpstreamExchange>?] = []
  private var blocked: [Ref<HTTP2UpstreamExchange>] = []
  private var active = 0
  private var requestCount = 0
  /// No more requests: the peer is going away, or the connection has served enough.
  private var isRetired = false
  private var isPumpScheduled = false
  private var isProcessing = false
  private var timer = TimerID.none
  /// The client that a PROXY protocol header named: the connection is for its requests alone.
  private var client: StreamSource?
  private let maxStreams: Int
  let keepAlive: Cluster.HTTP2KeepAlive?
  var keepAliveTimer = TimerID.none
  /// Answers that were there before the PING that is out; nil when none is.
  var answersBeforePing: Int?
  private var durationTimer = TimerID.none

  /// Requests that may wait for a connection whose settings are not known; nghttp2's and Envoy's assumption.
  private static let assumedStreams = 100

  enum Timer {
    static let connect: UInt8 = 1
    static let idle: UInt8 = 2
    static let keepAlive: UInt8 = 3
    static let duration: UInt8 = 4
  }

  /// Opens a connection to `endpoint`, in the name of `stream`'s client where the upstream is told.
  static func open(
    to endpoint: UpstreamEndpoint, of cluster: UpstreamCluster, for stream: Stream
  ) -> Result<HTTP2UpstreamConnection, ConnectionFailure> {
    do {
      let descriptor = try cluster.openSocket(to: endpoint.address)
      let tls = cluster.makeSession(descriptor: descriptor, peer: endpoint.address, offersHTTP2: true)
      let connection = try HTTP2UpstreamConnection(
        cluster: cluster, endpoint: endpoint, descriptor: descriptor, tls: tls)
      if cluster.config.settings.proxyProtocol != nil { connection.client = stream.source }
      return .success(connection)
    } catch {
      return .failure(.connect("\(error)"))
    }
  }

  private init(
    cluster: UpstreamCluster, endpoint: UpstreamEndpoint, descriptor: Int32, tls: TLSSession?
  ) throws {
    self.cluster = cluster
    upstreamEndpoint = endpoint
    maxStreams = cluster.config.settings.maxConcurrentStreams
    keepAlive = cluster.config.settings.http2KeepAlive
    session = HTTP2Session(.client, memory: cluster.worker.with { $0.http2Memory })
    try super.init(loop: cluster.loop, descriptor: descriptor, peer: endpoint.address, tls: tls, isConnecting: true)
    goesFirst = true
    endpoint.add(self)
    endpoint.connectionCount += 1
    endpoint.counters.connections += 1
    cluster.counters.connections += 1
    cluster.counters.activeConnections += 1
    if cluster.hasLimits { cluster.shared?.breaker?.connectionOpened() }
    loop.arm(&timer, after: Int64(cluster.config.settings.connectTimeoutMilliseconds), owner: self, tag: Timer.connect)
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(takingOver other: Connection) { fatalError("use the initializer of this class") }

  // MARK: Requests

  /// Whether one more request may be given to this connection.
  var takesRequests: Bool {
    switch state {
    case .connecting, .handshaking: return !isRetired && waiting.count < min(Self.assumedStreams, maxStreams)
    case .open: return !isRetired && active < maxStreams && session.takesStreams
    case .lingering, .closed: return false
    }
  }

  /// Whether the upstream knows this connection as that of the stream's client: of the same connection, as in Envoy, since
  /// its port was said, too.
  func serves(_ stream: Stream) -> Bool {
    guard let client else { return true }
    return client.peer == stream.source.peer && client.local == stream.source.local
  }

  /// Takes on a request; the stream hears `connected()`, at once if the connection is there.
  func assign(_ stream: Stream) {
    let exchange = takeExchange()
    active += 1
    requestCount += 1
    let limit = cluster.config.settings.maxRequestsPerConnection
    if limit > 0, requestCount >= limit { isRetired = true }
    exchange.with { $0.begin(stream) }
    stream.upstream = .http2(exchange)
    if state == .open { stream.connected() } else { waiting.append(exchange) }
  }

  private func takeExchange() -> Ref<HTTP2UpstreamExchange> {
    if let exchange = free.popLast() { return exchange }
    let exchange = HTTP2UpstreamExchange(connection: self)
    owned.append(exchange)
    free.reserveCapacity(owned.count)
    return Ref(exchange)
  }

  /// An exchange is over.
  func give(_ exchange: HTTP2UpstreamExchange) {
    if !waiting.isEmpty { waiting.removeAll { $0.isLink(to: exchange) } }
    if !blocked.isEmpty { blocked.removeAll { $0.isLink(to: exchange) } }
    free.append(Ref(exchange))
    active -= 1
    if upstreamEndpoint.http2QueuedCount > 0 { schedulePump() }
    guard active == 0, state != .closed else { return }
    // Its client has no more requests, for all we know, and nobody else may have it.
    if client != nil { isRetired = true }
    if isRetired || isUnwanted { return schedulePump() }
    // While it is being opened, the connect timeout runs.
    if state == .open { armIdleTimer() }
  }

  /// Sends a request head; returns its slot, -1 when the connection takes no more streams.
  func submit(_ head: borrowing RequestHead, for exchange: HTTP2UpstreamExchange, endsStream: Bool) -> Int32 {
    let slot = session.submit(head, isHTTPS: tls != nil, endsStream: endsStream)
    guard slot >= 0 else {
      isRetired = true
      return -1
    }
    while bySlot.count <= Int(slot) { bySlot.append(nil) }
    bySlot[Int(slot)] = Ref(exchange)
    schedulePump()
    return slot
  }

  /// The PROXY protocol stands in front of TLS and of everything else.
  override func socketConnected() {
    guard let version = cluster.config.settings.proxyProtocol else { return }
    sendProxyHeader(ProxyProtocolHeader(version: version, addresses: client?.proxyAddresses))
  }

  override func connectionOpened() {
    localAddress = SocketAddress.local(of: descriptor)
    if tls != nil { cluster.counters.handshakes += 1 }
    loop.cancel(&timer)
    armKeepAlive()
    let duration = cluster.config.settings.maxConnectionDurationMilliseconds
    if duration > 0 { loop.arm(&durationTimer, after: Int64(duration), owner: self, tag: Timer.duration) }
    schedulePump()
    let ready = waiting
    waiting.removeAll()
    for exchange in ready { exchange.with { $0.stream?.with { $0.connected() } } }
    if active == 0 { armIdleTimer() }
  }

  // MARK: Receiving

  override func inputAvailable() {
    guard !isProcessing else { return }
    isProcessing = true
    var failure: String?
    if !input.isEmpty {
      if case .failed(let reason) = withInput({ session.receive($0, now: loop.now) }) { failure = reason }
      handleEvents()
      input.removeAll()
    }
    isProcessing = false
    guard state == .open else { return }
    if answersBeforePing != nil { noteSignOfLife() }
    if let failure {
      failAll(.protocolError, failure)
      pump()
      endNow()
    } else if inputEnded {
      endOfInput()
    } else {
      schedulePump()
    }
  }

  /// The upstream has closed. Responses that are complete and wait for their clients are not lost: the connection goes
  /// when the last of them has been read.
  private func endOfInput() {
    isRetired = true
    for exchange in owned { exchange.connectionEnded(inputFailure, isStale: requestCount > 1) }
    if state == .open, active == 0 { close() }
  }

  /// Responses that are complete outlive a reset like any other end.
  override func outlives(_ reason: String) -> Bool { true }

  override var hearsPeerOut: Bool { true }

  private func handleEvents() {
    var index = 0
    while index < session.eventCount, state == .open {
      handle(session.event(at: index))
      index += 1
    }
    session.clearEvents()
  }

  private func handle(_ event: HTTP2Event) {
    switch event.kind {
    case .goAway:
      isRetired = true
      return
    case .settings:
      // It takes no request at all: the next one gets a connection of its own.
      if session.peerMaxConcurrentStreams == 0 { isRetired = true }
      return
    default: break
    }
    guard let link = bySlot[Int(event.slot)] else { return session.discard(event) }
    switch event.kind {
    case .head: link.with { $0.headArrived(event, session) }
    case .data:
      let range = Int(event.offset)..<Int(event.offset + event.count)
      link.with { exchange in withInput { exchange.receive($0.extracting(range)) } }
    case .trailers: link.with { $0.trailersArrived(event, session) }
    case .ended: link.with { $0.responseEnded() }
    case .closed:
      bySlot[Int(event.slot)] = nil
      session.freeSlot(event.slot)
      link.with { $0.closed(event.errorCode) }
    case .headTooLarge: link.with { $0.headTooLarge() }
    case .goAway, .settings: break
    }
  }

  // MARK: Sending

  /// Something is to be sent: it leaves at the end of the turn.
  func schedulePump() {
    guard !isPumpScheduled else { return }
    isPumpScheduled = true
    loop.atEndOfTurn(self)
  }

  /// The exchange waits for room.
  func awaitRoom(_ exchange: HTTP2UpstreamExchange) { blocked.append(Ref(exchange)) }

  override func turnEnded() {
    if isPumpScheduled {
      isPumpScheduled = false
      if state == .open { pump() }
      serveQueue()
    }
    super.turnEnded()
  }

  /// Requests that wait for room here may have it now, or a connection of their own.
  private func serveQueue() {
    guard upstreamEndpoint.http2QueuedCount > 0 else { return }
    upstreamEndpoint.serveHTTP2Queue(cluster.shared?.breaker, isNamed: cluster.config.settings.proxyProtocol != nil)
  }

  override func outputDrained() { schedulePump() }

  private func pump() {
    if inputEnded { return endOfInput() }
    gatherFrames()
    guard state == .open else { return }
    handleEvents()
    resumeBlocked()
    if state == .open, session.isFinished {
      failAll(.protocolError, "the upstream broke HTTP/2")
      return endNow()
    }
    guard active == 0, isRetired || isUnwanted, state == .open else { return }
    session.goAway(.noError)
    gatherFrames()
    endNow()
  }

  /// Closes; an upstream that does not read is not waited for.
  private func endNow() {
    guard state == .open else { return }
    if isOutputBlocked { close() } else { closeAfterFlush(lingering: false) }
  }

  private var isUnwanted: Bool { upstreamEndpoint.isRetired || cluster.isRetired }

  private func gatherFrames() {
    let goesOn = writeFrames(of: session) { slot, count in
      bySlot[Int(slot)]?.with { writeBodyFrame(count, from: &$0.outgoing, of: session) } ?? false
    }
    if !goesOn { close() }
  }

  private func resumeBlocked() {
    var index = 0
    while index < blocked.count {
      let link = blocked[index]
      guard link.with({ $0.hasRoom() }) else {
        index += 1
        continue
      }
      blocked.swapAt(index, blocked.count - 1)
      blocked.removeLast()
      link.with { $0.resumeRequest() }
    }
  }

  // MARK: Ending

  /// The endpoint or the cluster is not wanted any more: closes when nothing is under way.
  func retire() {
    isRetired = true
    if active == 0 { if state == .open { schedulePump() } else { close() } }
  }

  private func armIdleTimer() {
    let milliseconds = cluster.config.settings.idleTimeoutMilliseconds
    if milliseconds > 0 {
      loop.arm(&timer, after: Int64(milliseconds), owner: self, tag: Timer.idle)
    } else {
      loop.cancel(&timer)
    }
  }

  func failAll(_ failure: UpstreamFailure, _ reason: String?) {
    // Each may at once try another connection: this one must not be chosen.
    isRetired = true
    for exchange in owned where exchange.stream != nil { exchange.fail(failure, reason) }
  }

  override func connectionFailed(_ failure: ConnectionFailure) {
    upstreamEndpoint.remove(self)
    switch failure {
    case .connect, .handshake:
      if case .handshake = failure { cluster.counters.handshakeFailures += 1 }
      upstreamEndpoint.counters.connectFailures += 1
      failAll(.connectFailure, failure.reason)
    case .connectTimeout:
      upstreamEndpoint.counters.connectFailures += 1
      failAll(.connectTimeout, failure.reason)
    case .reset: failAsTerminated(failure.reason)
    }
  }

  /// A connection that has served others and ends without an answer was most likely closed while idle.
  private func failAsTerminated(_ reason: String?) {
    isRetired = true
    for exchange in owned where exchange.stream != nil {
      exchange.failAsTerminated(reason, isStale: requestCount > 1)
    }
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    loop.cancel(&keepAliveTimer)
    loop.cancel(&durationTimer)
    upstreamEndpoint.remove(self)
    upstreamEndpoint.connectionCount -= 1
    cluster.counters.activeConnections -= 1
    if cluster.hasLimits { cluster.shared?.breaker?.connectionClosed() }
    cluster.counters.bytesReceived += bytesReceived
    cluster.counters.bytesSent += bytesSent
    if owned.contains(where: { $0.stream != nil }) { cluster.counters.connectionsDestroyedWithActiveRequest += 1 }
    failAsTerminated(nil)
    serveQueue()
  }

  override func timerFired(_ tag: UInt8) {
    switch tag {
    case Timer.keepAlive:
      keepAliveTimer = .none
      return keepAliveDue()
    case Timer.duration:
      durationTimer = .none
      cluster.counters.maxDurationsReached += 1
      return retire()
    case Timer.connect, Timer.idle: break
    default: return super.timerFired(tag)
    }
    timer = .none
    if state == .connecting || state == .handshaking { return fail(.connectTimeout) }
    guard active == 0 else { return }
    isRetired = true
    schedulePump()
  }
}
