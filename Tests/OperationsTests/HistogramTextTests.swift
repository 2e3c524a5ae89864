import Testing

@testable import Operations

@Suite struct HistogramTextTests {
  /// Counts of values up to 10, up to 20, and beyond.
  static let cases: [(counts: [Int], percent: Double, value: Double)] = [
    ([4, 0, 0], 0, 0), ([4, 0, 0], 50, 5), ([4, 0, 0], 100, 10), ([1, 1, 0], 50, 10), ([1, 1, 0], 75, 15),
    ([0, 4, 0], 0, 10), ([0, 4, 0], 25, 12.5), ([1, 0, 1], 50, 10), ([1, 0, 1], 100, 20), ([0, 0, 3], 50, 20),
  ]

  @Test(arguments: cases) func `a quantile lies within its bucket`(counts: [Int], percent: Double, value: Double) {
    #expect(HistogramText(name: "h", counts: counts, bounds: [10, 20]).value(at: percent) == value)
  }

  @Test func `the line of a histogram is Envoy's`() {
    #expect(
      HistogramText(name: "h", counts: [0, 3, 0], bounds: [10, 20]).text
        == "h: P0(nan,10) P25(nan,12.5) P50(nan,15) P75(nan,17.5) P90(nan,19) P95(nan,19.5) P99(nan,19.9)"
        + " P99.5(nan,19.95) P99.9(nan,19.99) P100(nan,20)\n")
    #expect(HistogramText(name: "h", counts: [0, 0, 0], bounds: [10, 20]).text == "h: No recorded values\n")
  }
}
