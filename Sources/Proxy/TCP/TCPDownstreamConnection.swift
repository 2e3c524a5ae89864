import Routing
import Transport
import Wire

/// A client's connection whose bytes go to a cluster as they are, after TLS was terminated or not. It owns what is known of
/// the whole: the way, the timers, the line in the log.
///
///     (handshaking ──▶) connecting ──▶ carrying ──both directions ended──▶ closed
///                                          └──upstream reset──▶ delivering ──all delivered──▶ closed
final class TCPDownstreamConnection: TCPConnection {
  /// Where a connection came in.
  enum Entrance {
    /// Plaintext, on a listener without filter chains.
    case onListener(Int32)
    /// By a server name.
    case onChain(Int32, serverName: [UInt8])
  }

  /// What the connection waits for.
  enum Phase: UInt8 {
    case handshaking
    /// The name service, or the endpoint.
    case connecting
    case carrying
    /// The upstream connection broke; the client has not got all of what came before.
    case delivering
    case closing
  }

  let worker: Ref<Worker>
  private(set) var phase: Phase
  private var record: TCPAccessRecord
  /// The filter chain that was chosen before TLS, -1 without.
  private let chain: Int32
  private let cluster: UpstreamCluster?
  private var upstream: Ref<TCPUpstreamConnection>?
  private var timer = TimerID.none
  private var durationTimer = TimerID.none
  private var isAwaitingEndpoint = false
  /// While the TLS handshake is in progress.
  private var handshakePlace: Int32 = -1

  /// Until it is looked again whether the client has got everything, in milliseconds.
  private var deliveryPause: Int64 = 2
  /// A client that does not read is given up.
  private var deliveryEnd = Int64.max
  private static let longestDeliveryPause: Int64 = 1000

  private enum Timer {
    static let handshake: UInt8 = 1
    static let connect: UInt8 = 2
    static let idle: UInt8 = 3
    static let duration: UInt8 = 4
    static let delivery: UInt8 = 5
  }

  /// Takes over a descriptor that is counted in the worker's budget, and sets out.
  static func begin(
    _ entrance: Entrance, acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress
  ) {
    var record = TCPAccessRecord(startNanoseconds: worker.loop.nowNanoseconds, peer: peer)
    let local = SocketAddress.local(of: descriptor) ?? acceptor.address
    record.local = local
    let way = worker.way(entrance, source: peer, destination: local, &record)
    var session: TLSSession?
    if way.terminatesTLS {
      guard let tls = acceptor.tls else {
        SystemCalls.close(descriptor)
        return worker.budget.give(worker.index)
      }
      session = TLSSession(accepting: tls, descriptor: descriptor)
    }
    let connection = try? TCPDownstreamConnection(
      way, record: record, worker: worker, descriptor: descriptor, tls: session)
    guard let connection else { return worker.budget.give(worker.index) }
    if session == nil { connection.setOut() }
  }

  private init(
    _ way: TCPWay, record: TCPAccessRecord, worker: Worker, descriptor: Int32, tls: TLSSession?
  ) throws {
    self.worker = Ref(worker)
    self.record = record
    chain = way.chain
    cluster = way.cluster
    phase = tls == nil ? .connecting : .handshaking
    try super.init(loop: worker.loop, descriptor: descriptor, peer: record.peer, tls: tls, isConnecting: false)
    worker.tcpConnectionOpened(self)
    cluster?.counters.tcpConnectionsOpened += 1
    if let limit = cluster?.config.settings.maxConnectionDurationMilliseconds, limit > 0 {
      loop.arm(&durationTimer, after: Int64(limit), owner: self, tag: Timer.duration)
    }
    guard tls != nil else { return }
    handshakePlace = worker.handshakes.enter(.tcp(Ref(self)), now: loop.now)
    arm(worker.limits.handshakeTimeoutMilliseconds, Timer.handshake)
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  // MARK: Connecting

  override func connectionOpened() {
    worker.with {
      $0.counters.handshakes += 1
      $0.handshakes.leave(&handshakePlace)
    }
    loop.cancel(&timer)
    // The name that chose this connection's route must be the one that chose its certificate.
    guard tls?.chosenChain == chain else { return end(.noRouteFound, resetting: true) }
    setOut()
  }

  /// Picks an endpoint and connects to it, or waits for the name service.
  private func setOut() {
    guard state == .open else { return }
    phase = .connecting
    guard let cluster else {
      if record.flags.contains(.noRouteFound) { worker.with { $0.counters.connectionsWithoutChain += 1 } }
      return end([], resetting: false)
    }
    if let problem = cluster.tlsProblem {
      record.failureReason = problem
      return end(.upstreamConnectionFailure, resetting: false)
    }
    switch cluster.pick(forConnectionFrom: record.peer) {
    case .endpoint(let endpoint): endpoint.with { connect(to: $0, of: cluster) }
    case .unresolved:
      isAwaitingEndpoint = true
      cluster.await(self)
      arm(Int64(cluster.config.settings.connectTimeoutMilliseconds), Timer.connect)
    case .none: noHealthyUpstream(cluster)
    }
  }

  /// The name service answered, or failed, while the connection waited.
  func endpointsArrived() {
    guard isAwaitingEndpoint else { return }
    isAwaitingEndpoint = false
    loop.cancel(&timer)
    setOut()
  }

  private func noHealthyUpstream(_ cluster: UpstreamCluster) {
    cluster.counters.noneHealthy += 1
    var flags = ResponseFlags.noHealthyUpstream
    if let reason = cluster.resolutionFailure {
      flags.insert(.dnsResolutionFailure)
      record.failureReason = "DNS resolution failed for \(cluster.config.host): \(reason)"
    }
    end(flags, resetting: false)
  }

  private func connect(to endpoint: UpstreamEndpoint, of cluster: UpstreamCluster) {
    record.upstream = endpoint.address
    let breaker = cluster.hasLimits ? cluster.shared?.breaker : nil
    if let breaker, !breaker.takeConnection() {
      cluster.counters.connectionOverflows += 1
      return end(.upstreamOverflow, resetting: false)
    }
    switch TCPUpstreamConnection.open(to: endpoint, of: cluster, for: self) {
    case .success(let connection):
      upstream = Ref(connection)
      arm(Int64(cluster.config.settings.connectTimeoutMilliseconds), Timer.connect)
    case .failure(let failure):
      breaker?.connectionClosed()
      upstreamConnectFailed(failure.reason)
    }
  }

  /// What a PROXY protocol header to the upstream says.
  var proxyAddresses: ProxyProtocolHeader.Addresses? {
    record.local.flatMap { SocketAddress.proxyAddresses(from: record.peer, to: $0) }
  }

  // MARK: From the upstream side

  /// The upstream connection is ready: bytes may flow.
  func upstreamOpened(_ connection: TCPUpstreamConnection, localAddress: SocketAddress?) {
    record.upstreamLocal = localAddress
    phase = .carrying
    partner = Ref(connection)
    loop.cancel(&timer)
    moved()
    if !input.isEmpty || inputEnded { resume() }
  }

  /// There will be no upstream connection. As in Istio there is one attempt.
  func upstreamConnectFailed(_ reason: String) {
    upstream = nil
    record.failureReason = reason
    end([.upstreamConnectionFailure, .upstreamRetryLimitExceeded], resetting: false)
  }

  /// The upstream connection broke: the client must not take what it has for complete.
  func upstreamReset(_ reason: String?) {
    upstream = nil
    record.failureReason = reason
    record.flags.insert(.upstreamConnectionTermination)
    partner = nil
    phase = .delivering
    // A timer that is moved keeps its tag.
    loop.cancel(&timer)
    if let limit = cluster?.config.settings.tcpIdleTimeoutMilliseconds, limit > 0 {
      deliveryEnd = loop.now + Int64(limit)
    }
    deliverThenReset()
  }

  /// The upstream's reset is passed on behind its last byte: a reset throws away what the kernel has not delivered yet.
  private func deliverThenReset() {
    guard phase == .delivering, state == .open else { return }
    if (output.isEmpty && undeliveredBytes == 0) || loop.now >= deliveryEnd { return end([], resetting: true) }
    deliveryPause = min(deliveryPause * 2, Self.longestDeliveryPause)
    arm(deliveryPause, Timer.delivery)
  }

  /// One direction has ended, on either side.
  func directionEnded() {
    guard hasEndedOutput, let upstream, upstream.with({ $0.hasEndedOutput }) else { return }
    end([], resetting: false)
  }

  // MARK: This side

  override func moved() {
    guard phase == .carrying, let cluster else { return }
    let milliseconds = Int64(cluster.config.settings.tcpIdleTimeoutMilliseconds)
    if milliseconds > 0 { arm(milliseconds, Timer.idle) } else { loop.cancel(&timer) }
  }

  override func outputEnded() {
    directionEnded()
  }

  override func timerFired(_ tag: UInt8) {
    guard tag <= Timer.delivery else { return super.timerFired(tag) }
    guard tag != Timer.duration else { return durationReached() }
    timer = .none
    switch tag {
    case Timer.handshake:
      worker.with { $0.counters.handshakeFailures += 1 }
      close()
    case Timer.connect:
      cluster?.counters.connectTimeouts += 1
      if isAwaitingEndpoint, let cluster { return noHealthyUpstream(cluster) }
      record.failureReason = ConnectionFailure.connectTimeout.reason
      end([.upstreamConnectionFailure, .upstreamRetryLimitExceeded], resetting: false)
    case Timer.delivery: deliverThenReset()
    default: end(.streamIdleTimeout, resetting: false)
    }
  }

  private func durationReached() {
    durationTimer = .none
    cluster?.counters.maxDurationsReached += 1
    end(.durationTimeout, resetting: false)
  }

  private func arm(_ milliseconds: Int64, _ tag: UInt8) {
    loop.arm(&timer, after: milliseconds, owner: self, tag: tag)
  }

  // MARK: Ending

  /// Ends both sides.
  private func end(_ flags: ResponseFlags, resetting: Bool) {
    guard phase != .closing else { return }
    phase = .closing
    record.flags.formUnion(flags)
    cancelUpstream(resetting: resetting)
    if resetting { reset() } else { close() }
  }

  private func cancelUpstream(resetting: Bool) {
    guard let upstream else { return }
    self.upstream = nil
    partner = nil
    upstream.with { $0.cancel(resetting: resetting) }
  }

  override func connectionFailed(_ failure: ConnectionFailure) {
    if case .handshake = failure { worker.with { $0.counters.handshakeFailures += 1 } }
    guard phase != .closing else { return }
    if phase == .carrying || phase == .delivering { record.flags.insert(.downstreamConnectionTermination) }
    phase = .closing
    cancelUpstream(resetting: true)
  }

  /// The process ends: closes now, whatever is under way.
  func cutOff() {
    record.details = "downstream_local_disconnect"
    record.flags.insert(.downstreamConnectionTermination)
    phase = .closing
    close()
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    loop.cancel(&durationTimer)
    if isAwaitingEndpoint { cluster?.stopAwaiting(self) }
    cancelUpstream(resetting: true)
    partner = nil
    record.endNanoseconds = loop.nowNanoseconds
    record.bytesReceived = bytesReceived
    record.bytesSent = bytesSent
    if let cluster {
      cluster.counters.tcpConnectionsClosed += 1
      cluster.counters.tcpBytesReceived += bytesReceived
      cluster.counters.tcpBytesSent += bytesSent
    }
    worker.with {
      $0.handshakes.leave(&handshakePlace)
      $0.log(record)
      $0.tcpConnectionClosed(self)
    }
  }
}
