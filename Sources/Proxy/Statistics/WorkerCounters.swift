/// What happened on the downstream side of one worker, in Envoy's vocabulary (`envoy_http_downstream_…`).
package struct WorkerCounters: Sendable {
  /// `downstream_cx_total`
  package var connections = 0
  /// `downstream_cx_active`
  package var activeConnections = 0
  /// `downstream_cx_overflow`: closed on arrival because of the connection limit.
  package var connectionOverflows = 0
  /// `downstream_cx_overload_reject`: closed on arrival because the descriptors for clients are used up.
  package var descriptorOverflows = 0
  /// TLS handshakes and the like that were given up, or not begun, because too many are in progress.
  package var handshakeOverflows = 0
  /// TLS handshakes and the like in progress.
  package var activeHandshakes = 0
  /// Accepting paused because the process was out of descriptors or memory.
  package var acceptsExhausted = 0
  /// `downstream_rq_total`
  package var requests = 0
  /// `downstream_rq_active`
  package var activeRequests = 0
  /// `downstream_rq_1xx` … `downstream_rq_5xx`, by the first digit of the status; 0: no response was sent.
  package var responses: InlineArray<6, Int> = .init(repeating: 0)
  /// Messages that were refused as malformed or too large.
  package var refusedRequests = 0
  /// Requests that were answered 500 because a regular expression exceeded its limits with them.
  package var regexLimitsExceeded = 0
  /// `ssl.handshake`
  package var handshakes = 0
  /// `ssl.connection_error`
  package var handshakeFailures = 0
  /// `no_filter_chain_match`: closed because no server owns the server name, or no route takes the connection.
  package var connectionsWithoutChain = 0
  /// Closed before they were served: no PROXY protocol header, no ClientHello, or neither in time.
  package var connectionsRefused = 0
  /// `downstream_cx_rx_bytes_total`
  package var bytesReceived = 0
  /// `downstream_cx_tx_bytes_total`
  package var bytesSent = 0
  /// `downstream_cx_http2_total`
  package var http2Connections = 0
  /// HTTP/2 connections that were ended because the client broke the protocol or flooded us.
  package var http2ProtocolErrors = 0
  /// Access log lines that the writer did not take in time.
  package var droppedLogLines = 0

  package init() {}

  package static func += (sum: inout Self, other: Self) {
    sum.connections += other.connections
    sum.activeConnections += other.activeConnections
    sum.connectionOverflows += other.connectionOverflows
    sum.descriptorOverflows += other.descriptorOverflows
    sum.handshakeOverflows += other.handshakeOverflows
    sum.activeHandshakes += other.activeHandshakes
    sum.acceptsExhausted += other.acceptsExhausted
    sum.requests += other.requests
    sum.activeRequests += other.activeRequests
    for index in 0..<6 { sum.responses[index] += other.responses[index] }
    sum.refusedRequests += other.refusedRequests
    sum.regexLimitsExceeded += other.regexLimitsExceeded
    sum.handshakes += other.handshakes
    sum.handshakeFailures += other.handshakeFailures
    sum.connectionsWithoutChain += other.connectionsWithoutChain
    sum.connectionsRefused += other.connectionsRefused
    sum.bytesReceived += other.bytesReceived
    sum.bytesSent += other.bytesSent
    sum.http2Connections += other.http2Connections
    sum.http2ProtocolErrors += other.http2ProtocolErrors
    sum.droppedLogLines += other.droppedLogLines
  }
}
