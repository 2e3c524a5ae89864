import Wire

/// What a peer can make us hold, and for how long. Times in milliseconds, 0 for no limit.
package struct ProxyLimits: Sendable {
  /// Limits of a message head; Istio's gateway: 60 KiB, 100 fields.
  package var http1 = HTTP1Limits()
  /// From the first byte of a request to the end of its head.
  package var headerTimeoutMilliseconds: Int64 = 15_000
  /// Nothing moves on a client's connection. Envoy: 1 h.
  package var idleTimeoutMilliseconds: Int64 = 3_600_000
  /// From accept to the end of the TLS handshake. Istio: 15 s.
  package var handshakeTimeoutMilliseconds: Int64 = 15_000
  /// Client connections at a time, over all workers; more are closed as soon as they are accepted.
  package var maxConnections = Int.max

  package init() {}
}
