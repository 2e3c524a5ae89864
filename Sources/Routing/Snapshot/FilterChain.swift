/// What is served for some server names of a TLS listener. Trivial; texts are in `Snapshot.chainFacts`.
package struct FilterChain: Sendable {
  /// What happens to a connection.
  package enum Network: UInt8, Sendable {
    /// TLS is terminated, requests are routed.
    case http
    /// TLS is terminated, bytes go to a cluster.
    case tcp
    /// Bytes go to a cluster as they are.
    case passthrough
  }

  package let network: Network
  package let listener: Int32
  /// The index of the TLS policy, -1 for passthrough.
  package let policy: Int32
  /// The route configuration of an HTTP chain, else -1.
  package let routeConfiguration: Int32
  /// Where bytes go when the chain is not HTTP.
  package var tcpRoutes = TCPProxyRouteList()
  /// Only clients that offer one of the protocols of Istio's mutual TLS are served (`AUTO_PASSTHROUGH`).
  package var requiresIstioProtocol = false
}

/// What is known of a filter chain besides what connections need.
package struct FilterChainFacts: Sendable {
  /// Server names: exact, `*.example.com`, `*`.
  package let serverNames: [String]
  /// The Gateway server: `istio-system/my-ingressgateway:443/https`.
  package let server: String
}
