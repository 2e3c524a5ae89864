/// A socket and what is served on it. Trivial; texts are in `Snapshot.listenerFacts`.
package struct Listener: Sendable {
  /// What comes in on the socket.
  package enum Kind: UInt8, Sendable {
    case http
    /// TLS, told apart by server name.
    case tls
    case tcp
  }

  package let kind: Kind
  /// The port that Gateway servers declare: what `match.port` means, and `x-forwarded-port`.
  package let declaredPort: UInt16
  /// The port that is bound.
  package let bindPort: UInt16
  /// The route configuration of a plaintext HTTP listener, else -1.
  package let routeConfiguration: Int32
  /// The port that clients see: the published one, else the declared one.
  package let publicPort: UInt16
  /// The HTTPS listener that redirects lead to, as it is bound and as clients see it; 0 if there is none.
  package let httpsBindPort: UInt16
  package let httpsPublicPort: UInt16
  /// Where bytes go on a plaintext listener that is not HTTP.
  package var tcpRoutes = TCPProxyRouteList()
  /// A chain of the listener does not lead to HTTP: the ClientHello is read before anything is decided.
  package var needsClientHello = false
  /// In `Snapshot.proxyProtocols`, -1: connections begin with no PROXY protocol header.
  package var proxyProtocol: Int32 = -1
}

extension Listener {
  /// Where a client that named `port` (nil: the default) reaches the HTTPS listener; nil when that cannot be known.
  func httpsPort(seenFrom port: Int?) -> Int? {
    guard httpsBindPort != 0 else { return port == nil ? 443 : nil }
    if port == Int(publicPort) || (port == nil && publicPort == 80) { return Int(httpsPublicPort) }
    if port == Int(bindPort) { return Int(httpsBindPort) }
    return port == nil ? Int(httpsPublicPort) : nil
  }
}

/// What is known of a listener besides what requests need.
package struct ListenerFacts: Sendable {
  /// Envoy's name: `0.0.0.0_443`.
  package let name: String
  /// The address to bind: `0.0.0.0`, `::`, `127.0.0.1`, `unix:///run/app.sock`.
  package let bindAddress: String
  /// The Gateway servers behind it: `istio-system/my-ingressgateway:443/https`.
  package let servers: [String]
}
