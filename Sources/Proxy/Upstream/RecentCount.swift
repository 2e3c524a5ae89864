import Synchronization

/// Counts what happened within the last so many milliseconds, on all workers together, to a tenth of that time.
final class RecentCount: Sendable {
  private static let parts: Int64 = 10

  private struct Ring {
    var counts = InlineArray<10, Int>(repeating: 0)
    /// The part of time that the newest count is of.
    var newest: Int64 = 0
    var sum = 0
  }

  private let partNanoseconds: Int64
  private let ring = Mutex(Ring())

  init(milliseconds: Int64) {
    partNanoseconds = max(1, milliseconds * 1_000_000 / Self.parts)
  }

  /// Counts one.
  ///
  /// - Parameter now: nanoseconds of a clock that does not go back, the same for all workers.
  func add(now: Int64) {
    ring.withLock {
      advance(&$0, now)
      $0.counts[Int($0.newest % Self.parts)] += 1
      $0.sum += 1
    }
  }

  /// What was counted and is not older than the interval.
  func count(now: Int64) -> Int {
    ring.withLock {
      advance(&$0, now)
      return $0.sum
    }
  }

  private func advance(_ ring: inout Ring, _ now: Int64) {
    let part = now / partNanoseconds
    guard part > ring.newest else { return }
    let first = max(ring.newest + 1, part - Self.parts + 1)
    for passed in first...part {
      let place = Int(passed % Self.parts)
      ring.sum -= ring.counts[place]
      ring.counts[place] = 0
    }
    ring.newest = part
  }
}
