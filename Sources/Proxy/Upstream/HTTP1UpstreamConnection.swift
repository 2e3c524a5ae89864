import Routing
import Transport
import Wire

/// Our HTTP/1 connection to an endpoint: one request at a time, kept alive between requests.
///
///     connecting ──▶ awaitingHead ──head──▶ readingBody ──end──▶ idle ──assign──▶ awaitingHead …
final class HTTP1UpstreamConnection: Connection {
  /// What the connection is doing.
  enum Phase: UInt8 {
    /// TCP and TLS are being set up for the stream that opened it.
    case connecting
    /// In the endpoint's stack of idle connections.
    case idle
    /// The request is going out; no complete response head has come.
    case awaitingHead
    /// The response body is coming.
    case readingBody
    case closing
  }

  let cluster: UpstreamCluster
  let upstreamEndpoint: UpstreamEndpoint
  private(set) var localAddress: SocketAddress?
  var phase = Phase.connecting
  var idleAbove: Ref<HTTP1UpstreamConnection>?
  var idleBelow: Ref<HTTP1UpstreamConnection>?

  var stream: Ref<Stream>?
  var parser = HTTP1HeadParser()
  var reader = HTTP1BodyReader()
  var writer = HTTP1BodyWriter()
  var method = HTTPMethod.get
  var requestEnded = false
  var isPersistent = true
  var responseBegan = false
  /// Protocols were switched: bytes pass as they are, both ways, until one side ends.
  var isTunnel = false
  /// The directions of a tunnel end each by itself: what the upstream sends, and what it gets.
  var tunnelInputEnded = false
  var tunnelOutputEnded = false
  var requestCount = 0
  var informationalCount = 0
  var timer = TimerID.none
  var durationTimer = TimerID.none
  /// The connection has lived as long as it may: it ends with the exchange that is under way.
  var isExpired = false
  /// The client takes no more of the response for now.
  var isBodyBlocked = false
  var isProcessing = false

  /// Interim responses before the final one; more is an attack.
  static let informationalLimit = 32

  enum Timer {
    static let connect: UInt8 = 1
    static let idle: UInt8 = 2
    static let duration: UInt8 = 3
  }

  /// Opens a connection to `endpoint` for `stream`, which hears of it through `connected()` or `upstreamFailed`.
  static func open(
    to endpoint: UpstreamEndpoint, of cluster: UpstreamCluster, for stream: Stream
  ) -> Result<HTTP1UpstreamConnection, ConnectionFailure> {
    do {
      let descriptor = try cluster.openSocket(to: endpoint.address)
      let tls = cluster.makeSession(descriptor: descriptor, peer: endpoint.address)
      let connection = try HTTP1UpstreamConnection(
        cluster: cluster, endpoint: endpoint, descriptor: descriptor, tls: tls)
      connection.stream = Ref(stream)
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
    try super.init(loop: cluster.loop, descriptor: descriptor, peer: endpoint.address, tls: tls, isConnecting: true)
    goesFirst = true
    endpoint.connectionCount += 1
    endpoint.http1ConnectionCount += 1
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

  // MARK: Connecting

  /// The PROXY protocol stands in front of TLS. It names one client, so the connection serves no other.
  override func socketConnected() {
    guard let version = cluster.config.settings.proxyProtocol else { return }
    let addresses = stream.flatMap { $0.with { $0.source.proxyAddresses } }
    sendProxyHeader(ProxyProtocolHeader(version: version, addresses: addresses))
  }

  override func connectionOpened() {
    localAddress = SocketAddress.local(of: descriptor)
    if tls != nil { cluster.counters.handshakes += 1 }
    armIdleTimer()
    let duration = cluster.config.settings.maxConnectionDurationMilliseconds
    if duration > 0 { loop.arm(&durationTimer, after: Int64(duration), owner: self, tag: Timer.duration) }
    guard let stream else {
      becomeIdle()
      return serveQueue()
    }
    phase = .awaitingHead
    beginExchange()
    stream.with { $0.connected() }
  }

  /// Takes on a request, as an idle connection that was just taken from its stack.
  func assign(_ stream: Stream) {
    self.stream = Ref(stream)
    phase = .awaitingHead
    armIdleTimer()
    beginExchange()
  }

  private func beginExchange() {
    requestCount += 1
    requestEnded = false
    isPersistent = true
    responseBegan = false
    informationalCount = 0
    parser.reset()
  }

  // MARK: Request

  func sendRequestHead(_ stream: Stream) {
    method = stream.request.method
    if method == .connect { return beginTunnel(stream) }
    let framing = stream.request.framing
    writer.begin(framing)
    let size = stream.request.http1ByteCount
    let written = gather(size) { stream.request.writeHTTP1(into: &$0) }
    if !written { fail(.reset("request head does not fit into the output buffer")) }
  }

  func sendRequestBody(_ span: RawSpan) -> Int {
    writer.send(span, on: self)
  }

  func endRequest(_ stream: Stream) {
    guard !requestEnded else { return }
    requestEnded = true
    if isTunnel { return endTunnelOutput() }
    writer.end(trailers: stream.requestTrailers, on: self)
  }

  override func outputDrained() {
    if isTunnel, requestEnded { return endTunnelOutput() }
    guard !requestEnded, let stream else { return }
    stream.with { $0.upstreamDrained() }
  }

  // MARK: Response

  override func inputAvailable() {
    process()
  }

  /// The downstream can take more of the response.
  func resumeResponseBody() {
    guard phase == .readingBody else { return }
    process()
    resumeInput()
  }

  func process() {
    guard !isProcessing else { return }
    isProcessing = true
    defer { isProcessing = false }
    while state == .open {
      switch phase {
      case .awaitingHead:
        guard readHead() else { return checkEndOfInput() }
      case .readingBody:
        guard readBody() else { return checkEndOfInput() }
      case .idle: return idleInput()
      case .connecting, .closing: return
      }
    }
  }

  private func readHead() -> Bool {
    guard let stream, !input.isEmpty else { return false }
    responseBegan = true
    let progress = stream.with { stream in
      stream.worker.with { worker in
        withInput {
          parser.parseResponse($0, requestMethod: method, into: &stream.response, limits: worker.limits.http1)
        }
      }
    }
    switch progress {
    case .needMore:
      if input.isFull, !input.reserve(1) {
        breakOff(.protocolError, HTTP1Refusal.headersTooLarge.responseDetail.description)
      }
      return false
    case .refused(let refusal):
      breakOff(.protocolError, refusal.responseDetail.description)
      return false
    case .complete(let consumed):
      input.consume(consumed)
      return headArrived(stream)
    }
  }

  private func headArrived(_ stream: Ref<Stream>) -> Bool {
    let (status, framing, persistent) = stream.with {
      ($0.response.status, $0.response.framing, $0.response.isPersistent)
    }
    isTunnel = status == 101 && stream.with { $0.request.wantsUpgrade }
    if status < 200, !isTunnel { return informationalArrived(stream, status) }
    isPersistent = persistent && !isTunnel
    reader.begin(isTunnel ? .untilClose : framing)
    if isTunnel { writer.begin(.untilClose) }
    phase = .readingBody
    let wanted = stream.with { $0.responseArrived() }
    return wanted && phase == .readingBody
  }

  private func informationalArrived(_ stream: Ref<Stream>, _ status: Int) -> Bool {
    informationalCount += 1
    guard status != 101, informationalCount <= Self.informationalLimit else {
      breakOff(.protocolError, status == 101 ? "unexpected 101 Switching Protocols" : "too many interim responses")
      return false
    }
    stream.with {
      $0.informationalArrived()
      $0.response.reset()
    }
    parser.reset()
    return true
  }

  private func readBody() -> Bool {
    guard let stream else { return false }
    isBodyBlocked = false
    while true {
      let step = stream.with { stream in withInput { reader.next($0, trailers: &stream.responseTrailers) } }
      switch step {
      case .needMore(let consumed):
        input.consume(consumed)
        if consumed == 0, input.isFull, !input.reserve(1) {
          breakOff(.protocolError, HTTP1Refusal.trailersTooLarge.responseDetail.description)
        }
        return false
      case .data(let offset, let count):
        let taken = stream.with { stream in
          withInput { stream.responseBody($0.extracting(offset..<offset + count)) }
        }
        guard phase == .readingBody else { return false }
        input.consume(reader.took(taken, at: offset))
        if taken < count {
          isBodyBlocked = true
          return false
        }
      case .end(let consumed):
        input.consume(consumed)
        responseEnded(stream)
        return false
      case .refused(let refusal):
        breakOff(.protocolError, refusal.responseDetail.description)
        return false
      }
    }
  }

  func responseEnded(_ stream: Ref<Stream>) {
    self.stream = nil
    // Bytes after the end of the response belong to nothing: such a connection must not be used again.
    let isReusable =
      isPersistent && requestEnded && input.isEmpty && !inputEnded && !upstreamEndpoint.isRetired
      && !cluster.isRetired && !isWornOut && !isExpired && cluster.config.settings.proxyProtocol == nil
    if isReusable { becomeIdle() } else { phase = .closing }
    stream.with { $0.endResponse() }
    if !isReusable, state != .closed { close() }
    serveQueue()
  }

  /// The connection has served as many requests as the DestinationRule allows.
  var isWornOut: Bool {
    let limit = cluster.config.settings.maxRequestsPerConnection
    return limit > 0 && requestCount >= limit
  }

  private func checkEndOfInput() {
    guard inputEnded, state == .open else { return }
    switch phase {
    case .awaitingHead:
      guard !responseBegan else { return breakOff(.connectionTermination, inputFailure) }
      breakOff(requestCount > 1 ? .staleConnection : .connectionTermination, inputFailure)
    case .readingBody:
      // What was received may be all there is to come.
      guard !isBodyBlocked else { return }
      if let inputFailure { return breakOff(.truncated, inputFailure) }
      guard input.isEmpty || !reader.endsWithInput else { return }
      if isTunnel { return tunnelEndedByUpstream() }
      // Under TLS an end without goodbye may be anybody's cut: what only it would complete is incomplete (RFC 9112, 9.8).
      guard reader.endsWithInput, tls?.isTruncated != true, let stream else {
        return breakOff(.truncated, nil)
      }
      responseEnded(stream)
    case .idle, .connecting, .closing: break
    }
  }

  /// A response that was received is delivered, whatever became of the connection since.
  override func outlives(_ reason: String) -> Bool { !input.isEmpty && hearsPeerOut }

  override var hearsPeerOut: Bool { phase == .awaitingHead || phase == .readingBody }

  // MARK: Ending

  override func connectionFailed(_ failure: ConnectionFailure) {
    switch failure {
    case .connect, .handshake:
      if case .handshake = failure { cluster.counters.handshakeFailures += 1 }
      upstreamEndpoint.counters.connectFailures += 1
      notify(.connectFailure, failure.reason)
    case .connectTimeout:
      upstreamEndpoint.counters.connectFailures += 1
      notify(.connectTimeout, failure.reason)
    case .reset:
      if phase == .idle {
        upstreamEndpoint.remove(self)
        phase = .closing
      } else if phase == .readingBody {
        notify(.truncated, failure.reason)
      } else {
        notify(requestCount > 1 && !responseBegan ? .staleConnection : .connectionTermination, failure.reason)
      }
    }
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    loop.cancel(&durationTimer)
    upstreamEndpoint.connectionCount -= 1
    upstreamEndpoint.http1ConnectionCount -= 1
    cluster.counters.activeConnections -= 1
    if cluster.hasLimits { cluster.shared?.breaker?.connectionClosed() }
    defer { serveQueue() }
    cluster.counters.bytesReceived += bytesReceived
    cluster.counters.bytesSent += bytesSent
    if let link = stream {
      stream = nil
      cluster.counters.connectionsDestroyedWithActiveRequest += 1
      link.with { $0.upstreamFailed(.connectionTermination, reason: nil) }
    }
  }

  override func timerFired(_ tag: UInt8) {
    guard tag <= Timer.duration else { return super.timerFired(tag) }
    guard tag != Timer.duration else { return durationReached() }
    timer = .none
    switch phase {
    case .connecting: fail(.connectTimeout)
    case .idle:
      upstreamEndpoint.remove(self)
      closeIdle()
    // Busy: the route's timeouts decide; look again when the connection may be idle.
    case .awaitingHead, .readingBody: armIdleTimer()
    case .closing: break
    }
  }
}
