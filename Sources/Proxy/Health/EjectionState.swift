import Routing
import Transport

/// Which endpoints of a cluster are ejected, and until when, as Envoy's outlier detector decides it.
struct EjectionState {
  let policy: OutlierPolicy
  /// When an ejection may end, in milliseconds of the loop's clock.
  private(set) var ejected: [SocketAddress: Int64] = [:]
  /// How often an endpoint was ejected of late; it goes down while the endpoint behaves.
  private(set) var times: [SocketAddress: Int] = [:]

  init(policy: OutlierPolicy) {
    self.policy = policy
  }

  /// Nothing to look at before the next failure.
  var isQuiet: Bool { ejected.isEmpty && times.isEmpty }

  /// What becomes of an endpoint that reached a limit.
  enum Outcome: Equatable {
    /// It is ejected for so many milliseconds.
    case ejected(Int64)
    /// It is already.
    case isEjected
    /// Too many are.
    case overflow
  }

  /// An endpoint reached a limit.
  mutating func failed(_ address: SocketAddress, endpoints: Int, now: Int64) -> Outcome {
    guard ejected[address] == nil else { return .isEjected }
    // One may go whatever the percentage says.
    guard ejected.isEmpty || ejected.count * 100 < policy.maxEjectionPercent * max(1, endpoints) else {
      return .overflow
    }
    let count = times[address, default: 0] + 1
    let duration = min(policy.baseEjectionMilliseconds * Int64(count), policy.maxEjectionMilliseconds)
    times[address] = count
    ejected[address] = now + duration
    return .ejected(duration)
  }

  /// An interval has passed. Returns the endpoints that come back.
  mutating func tick(now: Int64) -> [SocketAddress] {
    let over = ejected.filter { $0.value <= now }.keys
    for address in times.keys where ejected[address] == nil {
      times[address, default: 1] -= 1
      if times[address, default: 0] <= 0 { times[address] = nil }
    }
    for address in over { ejected[address] = nil }
    return Array(over)
  }
}
