import Testing

@testable import Proxy

/// What counts for a budget of retries: requests that are not older than its interval.
@Suite struct RecentCountTests {
  private static let second: Int64 = 1_000_000_000

  @Test func `counts what is not older than the interval`() {
    let count = RecentCount(milliseconds: 1000)
    for tenth in 0..<10 { count.add(now: 50 * Self.second + Int64(tenth) * Self.second / 10) }
    #expect(count.count(now: 50 * Self.second + Self.second * 9 / 10) == 10)
    // One tenth after the other grows old.
    for passed in 0..<10 {
      #expect(count.count(now: 51 * Self.second + Int64(passed) * Self.second / 10) == 9 - passed)
    }
  }

  @Test func `forgets everything after a long pause, whatever time it is`() {
    let count = RecentCount(milliseconds: 10)
    for _ in 0..<3 { count.add(now: 7) }
    #expect(count.count(now: 7) == 3)
    #expect(count.count(now: 3600 * Self.second) == 0)
    count.add(now: 3600 * Self.second)
    #expect(count.count(now: 3600 * Self.second) == 1)
  }

  @Test func `a clock that another worker read a little earlier does no harm`() {
    let count = RecentCount(milliseconds: 1000)
    count.add(now: 10 * Self.second)
    count.add(now: 10 * Self.second - Self.second / 5)
    #expect(count.count(now: 10 * Self.second) == 2)
  }
}
