/// Which limits of a cluster are reached: Envoy's `circuit_breakers.default.…_open`.
package struct CircuitBreakerState: Sendable {
  /// `cx_open`
  package var connections = false
  /// `rq_pending_open`
  package var pending = false
  /// `rq_open`
  package var requests = false
  /// `rq_retry_open`
  package var retries = false

  /// Nothing is reached.
  package init() {}

  init(connections: Bool, pending: Bool, requests: Bool, retries: Bool) {
    self.connections = connections
    self.pending = pending
    self.requests = requests
    self.retries = retries
  }
}
