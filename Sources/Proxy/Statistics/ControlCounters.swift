/// What outlier detection did with the endpoints of a cluster (Envoy's `outlier_detection.…`). Counted on the control
/// side, for all workers.
package struct OutlierCounters: Sendable {
  /// Limits that were reached, by cause: what is detected.
  package var detected: [OutlierCause: Int] = [:]
  /// Endpoints that were ejected, by cause: what is enforced.
  package var enforced: [OutlierCause: Int] = [:]
  /// `ejections_overflow`: not ejected, because too many are already.
  package var overflows = 0

  package init() {}

  /// `ejections_enforced_total`
  package var enforcedTotal: Int { enforced.values.reduce(0, +) }
}

/// Why an endpoint is ejected.
package enum OutlierCause: String, Sendable, CaseIterable {
  case consecutive5xx = "consecutive_5xx"
  case consecutiveGatewayFailure = "consecutive_gateway_failure"
  case consecutiveLocalOriginFailure = "consecutive_local_origin_failure"

  /// In words for people.
  var text: String {
    switch self {
    case .consecutive5xx: return "consecutive 5xx"
    case .consecutiveGatewayFailure: return "consecutive gateway failures"
    case .consecutiveLocalOriginFailure: return "consecutive local origin failures"
    }
  }
}

/// Probes of a cluster (Envoy's `health_check.…`).
package struct HealthCheckCounters: Sendable {
  /// `attempt`: probes that came to a result.
  package var attempts = 0
  package var successes = 0
  package var failures = 0

  package init() {}
}
