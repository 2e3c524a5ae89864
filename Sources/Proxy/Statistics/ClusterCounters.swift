/// What happened to one cluster on one worker, in Envoy's vocabulary (`envoy_cluster_upstream_…`).
package struct ClusterCounters: Sendable {
  /// `upstream_cx_total`
  package var connections = 0
  /// `upstream_cx_active`
  package var activeConnections = 0
  /// `upstream_cx_connect_fail`
  package var connectFailures = 0
  /// `upstream_cx_connect_timeout`
  package var connectTimeouts = 0
  /// `upstream_cx_overflow`: connections that a limit did not allow.
  package var connectionOverflows = 0
  /// `upstream_cx_max_duration_reached`
  package var maxDurationsReached = 0
  /// `upstream_cx_destroy_with_active_rq`
  package var connectionsDestroyedWithActiveRequest = 0
  /// `upstream_rq_total`
  package var requests = 0
  /// `upstream_rq_active`
  package var activeRequests = 0
  /// `upstream_rq_1xx` … `upstream_rq_5xx`, by the first digit of the status.
  package var responses: InlineArray<6, Int> = .init(repeating: 0)
  /// `upstream_rq_retry`: retries, replays on a fresh connection included.
  package var retries = 0
  /// `upstream_rq_retry_overflow`: retries that a limit or a budget did not allow.
  package var retryOverflows = 0
  /// `upstream_rq_timeout`
  package var timeouts = 0
  /// `upstream_rq_pending_overflow`
  package var overflows = 0
  /// `upstream_cx_none_healthy`
  package var noneHealthy = 0
  /// `upstream_rq_rx_reset`
  package var resets = 0
  /// `http2.keepalive_timeout`: connections that did not answer a PING.
  package var keepAliveTimeouts = 0
  /// `upstream_cx_rx_bytes_total`
  package var bytesReceived = 0
  /// `upstream_cx_tx_bytes_total`
  package var bytesSent = 0
  /// `ssl.handshake`
  package var handshakes = 0
  /// `ssl.connection_error`: handshakes that failed, verification included.
  package var handshakeFailures = 0
  /// `update_failure`: questions to the name service without an answer.
  package var resolutionFailures = 0
  /// `istio_tcp_connections_opened_total`
  package var tcpConnectionsOpened = 0
  /// `istio_tcp_connections_closed_total`
  package var tcpConnectionsClosed = 0
  /// `istio_tcp_received_bytes_total`: from clients.
  package var tcpBytesReceived = 0
  /// `istio_tcp_sent_bytes_total`: to clients.
  package var tcpBytesSent = 0

  package init() {}

  package static func += (sum: inout Self, other: Self) {
    sum.connections += other.connections
    sum.activeConnections += other.activeConnections
    sum.connectFailures += other.connectFailures
    sum.connectTimeouts += other.connectTimeouts
    sum.connectionOverflows += other.connectionOverflows
    sum.maxDurationsReached += other.maxDurationsReached
    sum.connectionsDestroyedWithActiveRequest += other.connectionsDestroyedWithActiveRequest
    sum.requests += other.requests
    sum.activeRequests += other.activeRequests
    for index in 0..<6 { sum.responses[index] += other.responses[index] }
    sum.retries += other.retries
    sum.timeouts += other.timeouts
    sum.overflows += other.overflows
    sum.noneHealthy += other.noneHealthy
    sum.resets += other.resets
    sum.keepAliveTimeouts += other.keepAliveTimeouts
    sum.bytesReceived += other.bytesReceived
    sum.bytesSent += other.bytesSent
    sum.handshakes += other.handshakes
    sum.handshakeFailures += other.handshakeFailures
    sum.resolutionFailures += other.resolutionFailures
    sum.tcpConnectionsOpened += other.tcpConnectionsOpened
    sum.tcpConnectionsClosed += other.tcpConnectionsClosed
    sum.tcpBytesReceived += other.tcpBytesReceived
    sum.tcpBytesSent += other.tcpBytesSent
  }
}
