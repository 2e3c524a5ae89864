import Proxy

/// Everything that is counted of one cluster.
struct ClusterFigures {
  var counters = ClusterCounters()
  var endpoints: [EndpointReport] = []
  var breakers = CircuitBreakerState()
  var outliers = OutlierCounters()
  var healthChecks = HealthCheckCounters()
}

/// A counter or gauge of clusters, with Envoy's name: `cluster.NAME.upstream_cx_total` in `/stats`,
/// `envoy_cluster_upstream_cx_total` for Prometheus.
struct ClusterMetric: Sendable {
  enum Kind: String, Sendable {
    case counter, gauge
  }

  let name: String
  let kind: Kind
  let help: String
  let value: @Sendable (ClusterFigures) -> Int

  private init(_ name: String, _ kind: Kind, _ help: String, _ value: @escaping @Sendable (ClusterFigures) -> Int) {
    self.name = name
    self.kind = kind
    self.help = help
    self.value = value
  }

  /// All but responses by class, which Prometheus has as one family; in the order of their names.
  static let all = (breakers + health + membership + connections + requests).sorted { $0.name < $1.name }

  private static var breakers: [ClusterMetric] {
    let prefix = "circuit_breakers.default."
    return [
      ClusterMetric(prefix + "cx_open", .gauge, "Whether maxConnections is reached") {
        $0.breakers.connections ? 1 : 0
      },
      ClusterMetric(prefix + "rq_open", .gauge, "Whether http2MaxRequests is reached") { $0.breakers.requests ? 1 : 0 },
      ClusterMetric(prefix + "rq_pending_open", .gauge, "Whether http1MaxPendingRequests is reached") {
        $0.breakers.pending ? 1 : 0
      },
      ClusterMetric(prefix + "rq_retry_open", .gauge, "Whether maxRetries is reached") { $0.breakers.retries ? 1 : 0 },
      ClusterMetric("upstream_cx_overflow", .counter, "Connections that were wanted beyond maxConnections") {
        $0.counters.connectionOverflows
      },
      ClusterMetric(
        "upstream_rq_pending_overflow", .counter,
        "Requests that were refused by http1MaxPendingRequests, http2MaxRequests or maxConnections"
      ) { $0.counters.overflows },
      ClusterMetric("upstream_rq_retry_overflow", .counter, "Retries that maxRetries or retryBudget did not allow") {
        $0.counters.retryOverflows
      },
    ]
  }

  private static var health: [ClusterMetric] {
    let prefix = "outlier_detection."
    let causes = OutlierCause.allCases.flatMap { cause in
      [
        ClusterMetric(prefix + "ejections_detected_\(cause.rawValue)", .counter, "Times that this limit was reached") {
          $0.outliers.detected[cause] ?? 0
        },
        ClusterMetric(
          prefix + "ejections_enforced_\(cause.rawValue)", .counter, "Endpoints ejected for this reason"
        ) { $0.outliers.enforced[cause] ?? 0 },
      ]
    }
    return causes + [
      ClusterMetric(prefix + "ejections_active", .gauge, "Endpoints that are ejected now") {
        $0.endpoints.count(where: \.isEjected)
      },
      ClusterMetric(prefix + "ejections_enforced_total", .counter, "Endpoints ejected for any reason") {
        $0.outliers.enforcedTotal
      },
      ClusterMetric(prefix + "ejections_overflow", .counter, "Endpoints not ejected because of maxEjectionPercent") {
        $0.outliers.overflows
      },
      ClusterMetric("health_check.attempt", .counter, "Probes that came to a result") { $0.healthChecks.attempts },
      ClusterMetric("health_check.failure", .counter, "Probes that failed") { $0.healthChecks.failures },
      ClusterMetric("health_check.success", .counter, "Probes that succeeded") { $0.healthChecks.successes },
      ClusterMetric("health_check.healthy", .gauge, "Endpoints that no probe has found unhealthy") {
        $0.endpoints.count(where: \.isHealthy)
      },
    ]
  }

  private static var membership: [ClusterMetric] {
    [
      ClusterMetric("membership_healthy", .gauge, "Endpoints that are neither unhealthy nor ejected") {
        $0.endpoints.count { $0.isHealthy && !$0.isEjected }
      },
      ClusterMetric("membership_total", .gauge, "Endpoints") { $0.endpoints.count },
      ClusterMetric("update_failure", .counter, "Questions to the name service without an answer") {
        $0.counters.resolutionFailures
      },
    ]
  }

  private static var connections: [ClusterMetric] {
    [
      ClusterMetric("http2.keepalive_timeout", .counter, "Connections that did not answer a PING") {
        $0.counters.keepAliveTimeouts
      },
      ClusterMetric("ssl.connection_error", .counter, "TLS handshakes that failed") { $0.counters.handshakeFailures },
      ClusterMetric("ssl.handshake", .counter, "TLS handshakes") { $0.counters.handshakes },
      ClusterMetric("upstream_cx_active", .gauge, "Connections") { $0.counters.activeConnections },
      ClusterMetric("upstream_cx_connect_fail", .counter, "Connections that could not be made") {
        $0.counters.connectFailures
      },
      ClusterMetric("upstream_cx_connect_timeout", .counter, "Connections that were not made in time") {
        $0.counters.connectTimeouts
      },
      ClusterMetric("upstream_cx_destroy_with_active_rq", .counter, "Connections that ended with a request on them") {
        $0.counters.connectionsDestroyedWithActiveRequest
      },
      ClusterMetric("upstream_cx_max_duration_reached", .counter, "Connections that maxConnectionDuration ended") {
        $0.counters.maxDurationsReached
      },
      ClusterMetric("upstream_cx_none_healthy", .counter, "Requests for which there was no endpoint") {
        $0.counters.noneHealthy
      },
      ClusterMetric("upstream_cx_rx_bytes_total", .counter, "Bytes received") { $0.counters.bytesReceived },
      ClusterMetric("upstream_cx_total", .counter, "Connections that were made") { $0.counters.connections },
      ClusterMetric("upstream_cx_tx_bytes_total", .counter, "Bytes sent") { $0.counters.bytesSent },
    ]
  }

  private static var requests: [ClusterMetric] {
    [
      ClusterMetric("upstream_rq_active", .gauge, "Requests at endpoints now") { $0.counters.activeRequests },
      ClusterMetric("upstream_rq_retry", .counter, "Retries") { $0.counters.retries },
      ClusterMetric("upstream_rq_rx_reset", .counter, "Requests that the upstream broke off") { $0.counters.resets },
      ClusterMetric("upstream_rq_timeout", .counter, "Requests that were not answered in time") {
        $0.counters.timeouts
      },
      ClusterMetric("upstream_rq_total", .counter, "Requests") { $0.counters.requests },
    ]
  }
}
