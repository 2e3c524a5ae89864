import Routing
import Transport
import Wire

/// One probe of one endpoint: connects (with the cluster's TLS unless the probe says otherwise), asks, judges, closes.
/// A TCP probe is satisfied with the connection; subclasses ask more.
class ProbeConnection: Connection {
  final let probe: Probe
  private final let verdict: (String?) -> Void
  private final var isJudged = false
  private final var timer = TimerID.none

  /// Starts a probe; `verdict` is called once, with nil for success or the reason of the failure.
  static func start(
    _ probe: Probe, endpoint: UpstreamEndpoint, cluster: UpstreamCluster, verdict: @escaping (String?) -> Void
  ) {
    let address = endpoint.address.withPort(probe.portOverride ?? endpoint.address.port)
    if probe.usesClusterTLS, let problem = cluster.tlsProblem { return verdict(problem) }
    do {
      let descriptor = try OutgoingSocket.connect(to: address)
      let tls =
        probe.usesClusterTLS
        ? cluster.makeSession(descriptor: descriptor, peer: address, offersHTTP2: probe.kind.isHTTP2) : nil
      _ = try probe.kind.connection.init(
        loop: cluster.loop, descriptor: descriptor, address: address, tls: tls, probe: probe, verdict: verdict)
    } catch {
      verdict("\(error)")
    }
  }

  required init(
    loop: EventLoop, descriptor: Int32, address: SocketAddress, tls: TLSSession?, probe: Probe,
    verdict: @escaping (String?) -> Void
  ) throws {
    self.probe = probe
    self.verdict = verdict
    try super.init(loop: loop, descriptor: descriptor, peer: address, tls: tls, isConnecting: true)
    loop.arm(&timer, after: Int64(probe.timeoutSeconds) * 1000, owner: self, tag: 1)
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(takingOver other: Connection) { fatalError("use the initializer of this class") }

  override func connectionOpened() { judge(nil) }

  override func connectionFailed(_ failure: ConnectionFailure) {
    judge(failure.reason)
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    judge("the connection was closed")
  }

  override func timerFired(_ tag: UInt8) {
    guard tag == 1 else { return super.timerFired(tag) }
    timer = .none
    judge("no answer within \(probe.timeoutSeconds) s")
  }

  /// Reports the outcome, the first time, and closes: nil for success, else the reason of the failure.
  final func judge(_ failure: String?) {
    guard !isJudged else { return }
    isJudged = true
    verdict(failure)
    if state != .closed { close() }
  }
}

extension Probe.Kind {
  fileprivate var isHTTP2: Bool {
    switch self {
    case .http2Get, .grpc: return true
    case .httpGet, .tcpSocket: return false
    }
  }

  fileprivate var connection: ProbeConnection.Type {
    switch self {
    case .tcpSocket: return ProbeConnection.self
    case .httpGet: return HTTP1ProbeConnection.self
    case .http2Get, .grpc: return HTTP2ProbeConnection.self
    }
  }
}
