import Routing
import Transport
import Wire

/// One probe of one endpoint: connects (with the cluster's TLS unless the probe says otherwise), asks, judges, closes.
final class ProbeConnection: Connection {
  private let probe: Probe
  private let verdict: (String?) -> Void
  private var isJudged = false
  private var parser = HTTP1HeadParser()
  private var response = ResponseHead()
  private var timer = TimerID.none

  /// Starts a probe; `verdict` is called once, with nil for success or the reason of the failure.
  static func start(
    _ probe: Probe, endpoint: UpstreamEndpoint, cluster: UpstreamCluster, verdict: @escaping (String?) -> Void
  ) {
    let address = endpoint.address.withPort(probe.portOverride ?? endpoint.address.port)
    if probe.usesClusterTLS, let problem = cluster.tlsProblem { return verdict(problem) }
    do {
      let descriptor = try OutgoingSocket.connect(to: address)
      let tls = probe.usesClusterTLS ? cluster.makeSession(descriptor: descriptor, peer: address) : nil
      _ = try ProbeConnection(
        loop: cluster.loop, descriptor: descriptor, address: address, tls: tls, probe: probe, verdict: verdict)
    } catch {
      verdict("\(error)")
    }
  }

  private init(
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

  override func connectionOpened() {
    switch probe.kind {
    case .tcpSocket: judge(nil)
    case .httpGet(let request):
      if send(request.span.raw) < request.count { judge("the request does not fit into one write") }
    }
  }

  override func inputAvailable() {
    switch withInput({ parser.parseResponse($0, requestMethod: .get, into: &response, limits: HTTP1Limits()) }) {
    case .needMore:
      if inputEnded { judge("the connection was closed before a response came") }
    case .refused(let refusal): judge("malformed response: \(refusal.detail)")
    case .complete(let consumed):
      input.consume(consumed)
      if response.status < 200 {
        parser.reset()
        return inputAvailable()
      }
      // Kubernetes' rule: 200 to 399 is success.
      judge((200..<400).contains(response.status) ? nil : "HTTP status \(response.status)")
    }
  }

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

  private func judge(_ failure: String?) {
    guard !isJudged else { return }
    isJudged = true
    verdict(failure)
    if state != .closed { close() }
  }
}
