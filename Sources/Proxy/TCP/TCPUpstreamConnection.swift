import Routing
import Transport
import Wire

/// Our side of a proxied TCP connection to an endpoint; it serves one client and is never used again.
///
///     connecting ──TCP, TLS──▶ (asking the forward proxy ──2xx──▶) carrying
final class TCPUpstreamConnection: TCPConnection {
  /// What the connection is doing.
  enum Phase: UInt8 {
    /// TCP and TLS are being set up.
    case connecting
    /// A forward proxy was asked for the target and has not answered.
    case tunneling
    /// Bytes flow.
    case carrying
    case closing
  }

  let cluster: UpstreamCluster
  let upstreamEndpoint: UpstreamEndpoint
  private let client: Ref<TCPDownstreamConnection>
  private(set) var phase = Phase.connecting
  private var isGone = false
  let tunnel: TunnelClient?

  /// Opens a connection to `endpoint` for `client`, which hears of it through `upstreamOpened()` or `upstreamFailed`.
  static func open(
    to endpoint: UpstreamEndpoint, of cluster: UpstreamCluster, for client: TCPDownstreamConnection
  ) -> Result<TCPUpstreamConnection, ConnectionFailure> {
    do {
      let descriptor = try cluster.openSocket(to: endpoint.address)
      let tls = cluster.makeSession(descriptor: descriptor, peer: endpoint.address)
      return .success(
        try TCPUpstreamConnection(
          cluster: cluster, endpoint: endpoint, client: client, descriptor: descriptor, tls: tls))
    } catch {
      return .failure(.connect("\(error)"))
    }
  }

  private init(
    cluster: UpstreamCluster, endpoint: UpstreamEndpoint, client: TCPDownstreamConnection, descriptor: Int32,
    tls: TLSSession?
  ) throws {
    self.cluster = cluster
    upstreamEndpoint = endpoint
    self.client = Ref(client)
    tunnel = cluster.config.settings.tunnel.map { TunnelClient($0) }
    try super.init(loop: cluster.loop, descriptor: descriptor, peer: endpoint.address, tls: tls, isConnecting: true)
    endpoint.connectionCount += 1
    endpoint.activeRequests += 1
    endpoint.counters.connections += 1
    endpoint.counters.requests += 1
    cluster.counters.connections += 1
    cluster.counters.activeConnections += 1
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  // MARK: Connecting

  /// The PROXY protocol stands in front of TLS.
  override func socketConnected() {
    guard let version = cluster.config.settings.proxyProtocol else { return }
    sendProxyHeader(client.with { ProxyProtocolHeader(version: version, addresses: $0.proxyAddresses) })
  }

  override func connectionOpened() {
    if tls != nil { cluster.counters.handshakes += 1 }
    guard let tunnel else { return carry() }
    phase = .tunneling
    let request = tunnel.request
    if send(request.span.raw) < request.count {
      fail(.connect("the tunnel request does not fit into the output buffer"))
    }
  }

  func carry() {
    phase = .carrying
    upstreamEndpoint.counters.successes += 1
    client.with {
      partner = Ref($0)
      $0.upstreamOpened(self, localAddress: SocketAddress.local(of: descriptor))
    }
  }

  override func inputAvailable() {
    switch phase {
    case .tunneling: readTunnelResponse()
    case .carrying: deliver()
    case .connecting, .closing: return
    }
  }

  // MARK: Bytes

  /// Offers what was received to the client, in the coding that the proxy in between uses.
  func deliver() {
    if carriesBodies { pumpDecoded() } else { pump() }
  }

  private var carriesBodies: Bool { tunnel?.usesPOST ?? false }

  override func pumpAgain() { deliver() }

  override func take(_ span: RawSpan) -> Int {
    guard let tunnel, tunnel.usesPOST else { return send(span) }
    return tunnel.writer.send(span, on: self)
  }

  override func writeEnd() -> Bool {
    guard let tunnel, tunnel.usesPOST else { return true }
    let none = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    tunnel.writer.end(trailers: none, on: self)
    // The body has ended; the connection stays for the rest of the answer.
    return false
  }

  override func moved() {
    client.with { $0.moved() }
  }

  override func outputEnded() {
    client.with { $0.directionEnded() }
  }

  // MARK: Ending

  /// What came before the reset goes to the client first.
  override func outlives(_ reason: String) -> Bool { phase == .carrying && !input.isEmpty }

  override var hearsPeerOut: Bool { phase == .carrying }

  /// The client does not want this connection any more.
  func cancel(resetting: Bool) {
    isGone = true
    phase = .closing
    if resetting { reset() } else { close() }
  }

  override func connectionFailed(_ failure: ConnectionFailure) {
    guard !isGone else { return }
    isGone = true
    let wasConnecting = phase == .connecting || phase == .tunneling
    phase = .closing
    if wasConnecting {
      if case .handshake = failure { cluster.counters.handshakeFailures += 1 }
      cluster.counters.connectFailures += 1
      upstreamEndpoint.counters.connectFailures += 1
      upstreamEndpoint.counters.errors += 1
      client.with { $0.upstreamConnectFailed(failure.reason) }
    } else {
      client.with { $0.upstreamReset(failure.reason) }
    }
  }

  override func connectionClosed() {
    upstreamEndpoint.connectionCount -= 1
    upstreamEndpoint.activeRequests -= 1
    cluster.counters.activeConnections -= 1
    if cluster.hasLimits { cluster.shared?.breaker?.connectionClosed() }
    cluster.counters.bytesReceived += bytesReceived
    cluster.counters.bytesSent += bytesSent
    partner = nil
    guard !isGone else { return }
    isGone = true
    client.with { $0.upstreamReset(nil) }
  }
}
