/// A histogram in the words of Envoy's `/stats`: `NAME: P0(nan,1) P25(nan,2.5) …`.
///
/// Of each pair the first stands for the last interval, which is not kept, the second for all time. A quantile is
/// interpolated within its bucket.
struct HistogramText {
  let name: String
  /// How many values fell into each bucket; the last is beyond all bounds.
  let counts: [Int]
  /// The upper bounds, one less than there are counts.
  let bounds: [Int]

  /// The quantiles that Envoy shows, in percent.
  static let quantiles: [Double] = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]

  /// Something was counted.
  var isUsed: Bool { counts.contains { $0 > 0 } }

  /// The line of `/stats`.
  var text: String {
    guard isUsed else { return "\(name): No recorded values\n" }
    let pairs = Self.quantiles.map { "P\(Self.text($0))(nan,\(Self.text(value(at: $0))))" }
    return "\(name): \(pairs.joined(separator: " "))\n"
  }

  /// An element of `computed_quantiles` in `/stats?format=json`.
  var json: JSON {
    let values = Self.quantiles.map { quantile in
      JSON.object([("interval", .null), ("cumulative", isUsed ? .decimal(Self.rounded(value(at: quantile))) : .null)])
    }
    return .object([("name", .string(name)), ("values", .array(values))])
  }

  /// Envoy's `histograms` object of these.
  static func json(_ histograms: [HistogramText]) -> JSON {
    .object([
      (
        "histograms",
        .object([
          ("supported_quantiles", .array(quantiles.map { .decimal($0) })),
          ("computed_quantiles", .array(histograms.map(\.json))),
        ])
      )
    ])
  }

  /// The value that `percent` of all values do not exceed. Beyond all bounds it is the last bound.
  func value(at percent: Double) -> Double {
    let wanted = Double(counts.reduce(0, +)) * percent / 100
    var seen = 0.0
    for (index, count) in counts.enumerated() where count > 0 {
      guard index < bounds.count else { break }
      let lower = index == 0 ? 0 : Double(bounds[index - 1])
      if seen + Double(count) >= wanted {
        return lower + (Double(bounds[index]) - lower) * max(0, wanted - seen) / Double(count)
      }
      seen += Double(count)
    }
    return Double(bounds.last ?? 0)
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  /// At most two digits behind the point, and none that says nothing.
  private static func text(_ value: Double) -> String { JSON.decimal(rounded(value)).text() }
}
