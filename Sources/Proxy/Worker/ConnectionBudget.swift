import Synchronization

/// Client connections over all workers: how many the process may hold, and which worker has fewest. Touched when one
/// comes and goes, not with requests.
final class ConnectionBudget: Sendable {
  /// What one worker holds.
  private final class Share: Sendable {
    let active = Atomic<Int>(0)
  }

  private let active = Atomic<Int>(0)
  private let limit: Int
  /// When it may be said again that clients are turned away, in milliseconds.
  private let nextNotice = Atomic<Int64>(0)
  private static let noticePause: Int64 = 60_000
  private let shares: [Share]

  /// One in so many connections of a worker may be too many before the next is handed over: exact for few connections,
  /// where a busy one matters, and no more than a nudge for many that come and go.
  private static let slack = 8

  init(limit: Int, workers: Int) {
    self.limit = limit
    shares = (0..<workers).map { _ in Share() }
  }

  /// Takes one place for `worker`; false when all are taken.
  func take(_ worker: Int) -> Bool {
    guard active.add(1, ordering: .relaxed).newValue <= limit else {
      active.subtract(1, ordering: .relaxed)
      return false
    }
    shares[worker].active.add(1, ordering: .relaxed)
    return true
  }

  /// Gives one place of `worker` back.
  func give(_ worker: Int) {
    active.subtract(1, ordering: .relaxed)
    shares[worker].active.subtract(1, ordering: .relaxed)
  }

  /// Moves a place from one worker to another.
  func move(from worker: Int, to other: Int) {
    shares[worker].active.subtract(1, ordering: .relaxed)
    shares[other].active.add(1, ordering: .relaxed)
  }

  /// Whether it is time to say, at `now` in milliseconds, that clients are turned away.
  func mayNotice(_ now: Int64) -> Bool {
    let next = nextNotice.load(ordering: .relaxed)
    guard now >= next else { return false }
    return nextNotice.compareExchange(expected: next, desired: now + Self.noticePause, ordering: .relaxed).exchanged
  }

  /// The worker that should have the connection that `worker` has just taken a place for, if that is another one.
  ///
  /// The kernel spreads connections by a hash (SO_REUSEPORT). That is even for many, but of four long ones all may fall
  /// on one worker, and the others idle while it is saturated.
  func betterPlace(than worker: Int) -> Int? {
    guard shares.count > 1 else { return nil }
    let mine = shares[worker].active.load(ordering: .relaxed) - 1
    var best = worker
    var fewest = mine - mine / Self.slack
    for other in shares.indices where other != worker {
      let count = shares[other].active.load(ordering: .relaxed)
      if count < fewest {
        fewest = count
        best = other
      }
    }
    return best == worker ? nil : best
  }
}
