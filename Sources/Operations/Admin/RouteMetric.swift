import Proxy

/// A counter of the requests of a `statPrefix`, with Envoy's name: `vhost.HOST.route.PREFIX.upstream_rq_total` in
/// `/stats`, `envoy_vhost_route_upstream_rq_total` for Prometheus.
struct RouteMetric: Sendable {
  /// What comes behind `upstream_rq_`.
  let name: String
  let help: String
  let value: @Sendable (RouteCounters) -> Int

  private init(_ name: String, _ help: String, _ value: @escaping @Sendable (RouteCounters) -> Int) {
    self.name = name
    self.help = help
    self.value = value
  }

  /// All but responses by class, in the order of their names.
  static let all = [
    RouteMetric("retry", "Retries of requests of a statPrefix") { $0.retries },
    RouteMetric("retry_limit_exceeded", "Requests of a statPrefix that no retry was left for") {
      $0.retryLimitsExceeded
    },
    RouteMetric("retry_overflow", "Requests of a statPrefix whose retry a limit or a budget did not allow") {
      $0.retryOverflows
    },
    RouteMetric("retry_success", "Requests of a statPrefix that a retry answered") { $0.retrySuccesses },
    RouteMetric("timeout", "Requests of a statPrefix that timed out") { $0.timeouts },
    RouteMetric("total", "Requests of a statPrefix that were forwarded") { $0.requests },
  ]
}
