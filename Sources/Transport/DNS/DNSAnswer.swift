/// What the name service said about a name.
package struct DNSAnswer: Sendable {
  /// With port 0.
  package let addresses: [SocketAddress]
  /// The least time to live of the addresses and of the aliases that led to them, at least 1.
  package let lifetimeSeconds: Int
  /// Why there are no addresses: `NXDOMAIN`, `SERVFAIL`, `timeout`, …
  package let problem: String?

  package init(addresses: [SocketAddress], lifetimeSeconds: Int, problem: String?) {
    self.addresses = addresses
    self.lifetimeSeconds = max(1, lifetimeSeconds)
    self.problem = problem
  }

  package var lifetimeMilliseconds: Int64 { Int64(lifetimeSeconds) * 1000 }
}

/// When to ask again.
package enum DNSRefreshPolicy {
  /// Milliseconds to wait after so many failures in a row: 1 s, doubled each time, at most Istio's 60 s.
  package static func pause(afterFailures failures: Int) -> Int64 {
    min(60_000, 1000 << Int64(min(max(failures, 1) - 1, 6)))
  }
}
