import Routing
import Synchronization
import Transport

/// What the workers of an instance share of one cluster, for clusters that ask for it: limits, and errors in a row.
final class SharedClusterState: Sendable {
  let breaker: CircuitBreaker?
  let outliers: OutlierTable?

  init(_ cluster: Cluster) {
    let limits = cluster.settings.circuitBreakers
    breaker = limits == .none ? nil : CircuitBreaker(limits)
    outliers = cluster.settings.outlierDetection.map(OutlierTable.init)
  }
}

/// The error counts of a cluster's endpoints.
final class OutlierTable: Sendable {
  let policy: OutlierPolicy
  private let records = Mutex<[SocketAddress: OutlierRecord]>([:])

  init(_ policy: OutlierPolicy) {
    self.policy = policy
  }

  /// The record of an address, the same for every worker.
  func record(of address: SocketAddress) -> OutlierRecord {
    records.withLock { records in
      if let known = records[address] { return known }
      let record = OutlierRecord(policy)
      records[address] = record
      return record
    }
  }
}

/// Errors in a row of one endpoint, counted by all workers. A success that finds zero only reads.
final class OutlierRecord: Sendable {
  private let policy: OutlierPolicy
  private let serverErrors = Atomic<Int>(0)
  private let gatewayErrors = Atomic<Int>(0)
  private let localFailures = Atomic<Int>(0)

  init(_ policy: OutlierPolicy) {
    self.policy = policy
  }

  /// Counts a response; returns the cause when a limit is reached by it.
  func answered(_ status: Int) -> OutlierCause? {
    var status = status
    if !policy.errorStatuses.isEmpty { status = policy.errorStatuses.contains(status) ? 500 : 200 }
    guard status >= 500 else {
      Self.clear(serverErrors)
      Self.clear(gatewayErrors)
      return nil
    }
    if (502...504).contains(status) {
      if Self.count(gatewayErrors, policy.consecutiveGatewayErrors) { return .consecutiveGatewayFailure }
    } else {
      Self.clear(gatewayErrors)
    }
    return Self.count(serverErrors, policy.consecutive5xxErrors) ? .consecutive5xx : nil
  }

  /// Counts a failure that no upstream answered: as a 503 or 504 unless such failures are split off.
  func failed() -> OutlierCause? {
    guard policy.splitsLocalOriginErrors else { return countUnsplit() }
    return Self.count(localFailures, policy.consecutiveLocalOriginFailures) ? .consecutiveLocalOriginFailure : nil
  }

  private func countUnsplit() -> OutlierCause? {
    if Self.count(gatewayErrors, policy.consecutiveGatewayErrors) { return .consecutiveGatewayFailure }
    return Self.count(serverErrors, policy.consecutive5xxErrors) ? .consecutive5xx : nil
  }

  /// A connection was made: what is counted apart begins anew.
  func connected() {
    if policy.splitsLocalOriginErrors { Self.clear(localFailures) }
  }

  private static func clear(_ counter: borrowing Atomic<Int>) {
    if counter.load(ordering: .relaxed) != 0 { counter.store(0, ordering: .relaxed) }
  }

  /// True for the error that reaches the limit, after which counting begins anew; 0 is no limit.
  private static func count(_ counter: borrowing Atomic<Int>, _ limit: Int) -> Bool {
    guard counter.add(1, ordering: .relaxed).newValue == limit else { return false }
    counter.store(0, ordering: .relaxed)
    return true
  }
}
