import Transport
import Wire

/// What a peer can make us hold, and for how long. Times in milliseconds, 0 for no limit.
package struct ProxyLimits: Sendable {
  /// Limits of a message head; Istio's gateway: 60 KiB, 100 fields.
  package var http1 = HTTP1Limits()
  /// From the first byte of a request to the end of its head.
  package var headerTimeoutMilliseconds: Int64 = 15_000
  /// Nothing moves on a client's connection, or in a tunnel, or on a stream that both sides keep open. Envoy: 1 h.
  package var idleTimeoutMilliseconds: Int64 = 3_600_000
  /// Nothing moves on a stream because its client neither sends what is due nor takes what waits for it. Envoy's
  /// `stream_idle_timeout`: 5 min.
  package var streamIdleTimeoutMilliseconds: Int64 = 300_000
  /// From accept to the end of the TLS handshake. Istio: 15 s.
  package var handshakeTimeoutMilliseconds: Int64 = 15_000
  /// How long a client that sends no more may wait for the beginning of its answer: at most this, and the idle timeout.
  var halfClosedTimeoutMilliseconds: Int64 {
    idleTimeoutMilliseconds > 0 ? min(idleTimeoutMilliseconds, 15_000) : 15_000
  }
  /// Client connections at a time, over all workers; more are closed as soon as they are accepted.
  package var maxConnections = Int.max
  /// Connections of one worker that have not told who they are: TLS handshakes in progress, a ClientHello or a PROXY
  /// protocol header that is awaited.
  package var maxHandshakes = 2048
  /// Descriptors of the process, and how many of them are not for clients.
  package var descriptors = DescriptorLimits(total: .max)

  package init() {}

  /// How long a client may stall a stream: no longer than it may do nothing at all.
  var stallTimeoutMilliseconds: Int64 {
    if streamIdleTimeoutMilliseconds == 0 { return idleTimeoutMilliseconds }
    if idleTimeoutMilliseconds == 0 { return streamIdleTimeoutMilliseconds }
    return min(streamIdleTimeoutMilliseconds, idleTimeoutMilliseconds)
  }
}
