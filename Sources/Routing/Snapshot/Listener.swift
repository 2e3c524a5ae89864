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
  /// The port where clients reach the HTTPS server for the same hosts, 0 if there is none: where redirects lead to.
  package let httpsPort: UInt16
}

/// What is known of a listener besides what requests need.
package struct ListenerFacts: Sendable {
  /// Envoy's name: `0.0.0.0_443`.
  package let name: String
  /// The address to bind: `0.0.0.0`, `::`, `127.0.0.1`.
  package let bindAddress: String
  /// The Gateway servers behind it: `istio-system/my-ingressgateway:443/https`.
  package let servers: [String]
}
