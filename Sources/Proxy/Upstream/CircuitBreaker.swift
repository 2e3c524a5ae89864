import Routing
import Synchronization

/// What a cluster has under way on all workers together, for clusters that limit it. The counts are atomic, as Envoy's;
/// clusters without limits have no breaker.
final class CircuitBreaker: Sendable {
  let limits: CircuitBreakers
  private let connections = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let requests = Atomic<Int>(0)
  private let retries = Atomic<Int>(0)
  /// Requests within the budget's interval, where there is one.
  private let recent: RecentCount?

  init(_ limits: CircuitBreakers) {
    self.limits = limits
    let interval = limits.retryBudget?.intervalMilliseconds ?? 0
    recent = interval > 0 ? RecentCount(milliseconds: interval) : nil
  }

  /// What a stream may hold.
  struct Resources: OptionSet {
    let rawValue: UInt8
    /// A place among those that wait for a connection.
    static let pending = Resources(rawValue: 1 << 0)
    /// A place among those at an endpoint.
    static let request = Resources(rawValue: 1 << 1)
    static let retry = Resources(rawValue: 1 << 2)
    /// The stream is in its endpoint's queue.
    static let queued = Resources(rawValue: 1 << 3)
  }

  /// Takes one of what is limited; false when there is none left.
  ///
  /// - Parameter now: nanoseconds of the loop's clock.
  func take(_ resource: Resources, now: Int64) -> Bool {
    switch resource {
    case .pending: return Self.take(pending, limits.maxPendingRequests)
    case .request: return Self.take(requests, limits.maxRequests)
    default: return Self.take(retries, retryLimit(now))
    }
  }

  /// How many retries may be under way.
  private func retryLimit(_ now: Int64) -> Int {
    guard let budget = limits.retryBudget else { return limits.maxRetries }
    let active = requests.load(ordering: .relaxed) + pending.load(ordering: .relaxed) + (recent?.count(now: now) ?? 0)
    return max(budget.minRetryConcurrency, Int(Double(active) * budget.percent / 100))
  }

  /// A request sets out for the cluster.
  func requestBegan(now: Int64) { recent?.add(now: now) }

  /// Gives back what was taken.
  func give(_ resources: Resources) {
    if resources.contains(.pending) { pending.subtract(1, ordering: .relaxed) }
    if resources.contains(.request) { requests.subtract(1, ordering: .relaxed) }
    if resources.contains(.retry) { retries.subtract(1, ordering: .relaxed) }
  }

  private static func take(_ counter: borrowing Atomic<Int>, _ limit: Int) -> Bool {
    guard counter.add(1, ordering: .relaxed).newValue > limit else { return true }
    counter.subtract(1, ordering: .relaxed)
    return false
  }

  /// Which limits are reached now.
  var open: CircuitBreakerState {
    CircuitBreakerState(
      connections: isConnectionLimitReached, pending: pending.load(ordering: .relaxed) >= limits.maxPendingRequests,
      requests: requests.load(ordering: .relaxed) >= limits.maxRequests,
      // Of what a budget counts, as of the last request.
      retries: retries.load(ordering: .relaxed) >= retryLimit(0))
  }

  /// One more connection would be too many.
  var isConnectionLimitReached: Bool { connections.load(ordering: .relaxed) >= limits.maxConnections }

  /// Counts a connection that is about to be opened, unless it would be too many.
  func takeConnection() -> Bool { Self.take(connections, limits.maxConnections) }

  func connectionOpened() { connections.add(1, ordering: .relaxed) }

  func connectionClosed() { connections.subtract(1, ordering: .relaxed) }
}
