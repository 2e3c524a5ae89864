import Transport

/// What a prober on a worker tells the control side.
struct ProbeReport: Sendable {
  /// The probe, by its index in the snapshot.
  let probe: Int
  /// The generation of probes this belongs to; reports of a replaced snapshot are dropped.
  let generation: Int
  let outcome: Outcome

  enum Outcome: Sendable {
    /// A round begins: these addresses are probed; when there are none, the reason.
    case aimed([SocketAddress], problem: String?)
    /// One endpoint was probed; nil when it succeeded, else the reason.
    case result(SocketAddress, failure: String?)
  }
}

/// An endpoint's verdict has changed.
struct HealthChange: Sendable, Hashable {
  let cluster: String
  let address: SocketAddress
  let isHealthy: Bool
  /// Whether the balancer must follow.
  let gatesLoadBalancing: Bool
}
