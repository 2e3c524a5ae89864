/// How load is divided over priorities, as Envoy does it: a priority takes what its healthy endpoints can carry with an
/// overprovisioning factor of 1.4, the rest goes to the next one.
enum PriorityLoad {
  /// The endpoints of one priority.
  struct Level {
    let healthy: Int
    let total: Int
  }

  /// What a priority takes.
  struct Share: Equatable {
    /// What it can take, 0 to 100.
    let availability: Int32
    /// What it gets, 0 to 100; all of them together 100, or 0 when there is nobody.
    var load: Int32 = 0
    /// Unhealthy endpoints are used as well: with so few healthy ones the verdicts are more likely wrong than right.
    var isPanic = false
  }

  /// What `healthy` of `total` can take, in percent of what all of them should.
  static func availability(_ healthy: Int, of total: Int) -> Int {
    total == 0 ? 0 : min(100, 140 * healthy / total)
  }

  /// - Parameter panicThreshold: with fewer healthy endpoints of a hundred there is panic; 0 for never.
  static func shares(_ levels: [Level], panicThreshold: Int) -> [Share] {
    var shares = levels.map { Share(availability: Int32(availability($0.healthy, of: $0.total))) }
    let sum = min(100, shares.reduce(0) { $0 + $1.availability })
    guard sum < 100 else {
      divide(&shares, 100)
      return shares
    }
    guard panicThreshold > 0 else {
      divide(&shares, sum)
      return shares
    }
    if sum == 0, !shares.isEmpty {
      // Everything is terrible: all goes to the first that has anybody.
      let first = levels.firstIndex { $0.total > 0 } ?? 0
      shares[first].load = 100
      shares[first].isPanic = true
      return shares
    }
    for index in levels.indices {
      shares[index].isPanic = levels[index].healthy * 100 < panicThreshold * levels[index].total
    }
    let occupied = levels.indices.filter { levels[$0].total > 0 }
    if occupied.allSatisfy({ shares[$0].isPanic }) {
      divideByNumber(&shares, levels)
    } else {
      divide(&shares, sum)
    }
    return shares
  }

  /// In their order, each what it can take; what rounding leaves goes to the first that takes anything.
  private static func divide(_ shares: inout [Share], _ sum: Int32) {
    guard sum > 0 else { return }
    var left: Int32 = 100
    for index in shares.indices {
      shares[index].load = min(left, shares[index].availability * 100 / sum)
      left -= shares[index].load
    }
    if left > 0, let first = shares.firstIndex(where: { $0.load > 0 }) { shares[first].load += left }
  }

  private static func divideByNumber(_ shares: inout [Share], _ levels: [Level]) {
    let total = levels.reduce(0) { $0 + $1.total }
    var left: Int32 = 100
    for index in shares.indices {
      shares[index].load = Int32(100 * levels[index].total / max(1, total))
      left -= shares[index].load
    }
    if let first = shares.firstIndex(where: { $0.load > 0 }) { shares[first].load += left }
  }
}
