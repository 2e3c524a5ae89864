import Testing

@testable import Proxy

@Suite struct RequestCountersTests {
  /// The tree of comparisons says what a scan of the bounds says.
  @Test func `a value falls into the first bucket whose bound it does not exceed`() {
    var random = RandomSource(seed: (1, 2, 3, 4))
    let edges = RequestCounters.bounds.flatMap { [$0 - 1, $0, $0 + 1] }
    let others = (0..<5000).map { _ in Int(random.next() >> UInt64(1 + random.below(63))) }
    for value in edges + others + [0, .max] {
      let expected = RequestCounters.bounds.firstIndex { value <= $0 } ?? RequestCounters.bounds.count
      #expect(RequestCounters.bucket(value) == expected, "\(value)")
    }
  }
}
