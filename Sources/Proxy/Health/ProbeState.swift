import Transport

/// What one probe says about its host: what readiness, `status` and the admin endpoints show.
package struct ProbeState: Sendable {
  /// The probe's resource: `httpbin/httpbin`.
  package let name: String
  /// The cluster that is probed.
  package let cluster: String
  /// What is asked: `GET https://httpbin.org:443/status/200`.
  package let target: String
  package let gatesReadiness: Bool
  /// Enough endpoints are healthy.
  package let isHealthy: Bool
  /// Nothing is known yet: not ready, but not broken either.
  package let isPending: Bool
  package let healthyEndpoints: Int
  package let totalEndpoints: Int
  /// Why it is not healthy.
  package let reason: String?
}
