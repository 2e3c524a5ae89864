/// What happened to one endpoint on one worker. Envoy's names: `cx_total`, `rq_success`, …
package struct EndpointCounters: Sendable {
  /// Connections opened.
  package var connections = 0
  /// Connections that could not be established.
  package var connectFailures = 0
  /// Requests sent.
  package var requests = 0
  /// Responses below 500.
  package var successes = 0
  /// Responses of 500 and above, resets and connect failures.
  package var errors = 0
  /// Requests that ran into the route's timeout.
  package var timeouts = 0

  package init() {}

  package static func += (sum: inout Self, other: Self) {
    sum.connections += other.connections
    sum.connectFailures += other.connectFailures
    sum.requests += other.requests
    sum.successes += other.successes
    sum.errors += other.errors
    sum.timeouts += other.timeouts
  }
}
