import Wire

/// Finds the candidates among the many rules of a virtual host by path: exact paths and prefixes by hash, the rest in
/// order.
///
/// Rules are numbered in the order in which they were written; each list of candidates is in that order, so taking the
/// smallest number that matches gives exactly what a scan from the top would give.
final class RouteIndex: Sendable {
  private struct Bucket {
    var hash: UInt64
    var first: Int32
    var count: Int32
    var pathCount: Int32
  }

  private let exact: [Bucket]
  private let prefixes: [Bucket]
  /// Rule numbers of all buckets, one after the other.
  private let candidates: [Int32]
  /// The distinct lengths of prefixes, ascending.
  private let prefixLengths: [Int32]
  /// Rules without a plain path: regular expressions, ignored case, no path at all.
  private let remainder: [Int32]

  /// Virtual hosts with fewer rules are scanned.
  static let worthwhileCount = 12

  init(rules: ArraySlice<Rule>, bytes: [UInt8]) {
    var exactLists: [[UInt8]: [Int32]] = [:]
    var prefixLists: [[UInt8]: [Int32]] = [:]
    var remainder: [Int32] = []
    for index in rules.indices {
      let rule = rules[index]
      let path = Array(bytes[Int(rule.pathStart)..<Int(rule.pathStart + rule.pathCount)])
      switch (rule.path, rule.ignoresCase) {
      case (.exact, false): exactLists[path, default: []].append(Int32(index))
      case (.prefix, false): prefixLists[path, default: []].append(Int32(index))
      default: remainder.append(Int32(index))
      }
    }
    var candidates: [Int32] = []
    exact = Self.table(exactLists, &candidates)
    prefixes = Self.table(prefixLists, &candidates)
    self.candidates = candidates
    self.remainder = remainder
    prefixLengths = Set(prefixLists.keys.map { Int32($0.count) }).sorted()
  }

  private static func table(_ lists: [[UInt8]: [Int32]], _ candidates: inout [Int32]) -> [Bucket] {
    var size = 8
    while size < lists.count * 2 { size *= 2 }
    var table = [Bucket](repeating: Bucket(hash: 0, first: -1, count: 0, pathCount: 0), count: size)
    for (path, list) in lists {
      var hash = PathHash()
      hash.add(path.span.raw, upTo: path.count)
      var place = Int(truncatingIfNeeded: hash.value) & (size - 1)
      while table[place].first >= 0 { place = (place + 1) & (size - 1) }
      table[place] = Bucket(
        hash: hash.value, first: Int32(candidates.count), count: Int32(list.count), pathCount: Int32(path.count))
      candidates += list
    }
    return table
  }

  /// The smallest rule number for which `holds` is true, among all rules whose path could match; -1 if there is none.
  /// `holds` checks everything, path included: equal hashes do no harm.
  @inline(__always)
  func firstMatch(_ path: RawSpan, _ holds: (Int32) -> Bool) -> Int32 {
    var best = Int32.max
    var hash = PathHash()
    for length in prefixLengths {
      guard Int(length) <= path.byteCount else { break }
      hash.add(path, upTo: Int(length))
      consider(prefixes, hash.value, length, &best, holds)
    }
    hash.add(path, upTo: path.byteCount)
    consider(exact, hash.value, Int32(path.byteCount), &best, holds)
    for rule in remainder {
      if rule >= best { break }
      if holds(rule) { best = rule }
    }
    return best == Int32.max ? -1 : best
  }

  @inline(__always)
  private func consider(
    _ table: [Bucket], _ hash: UInt64, _ pathCount: Int32, _ best: inout Int32, _ holds: (Int32) -> Bool
  ) {
    var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[place].first >= 0 {
      let bucket = table[place]
      if bucket.hash == hash, bucket.pathCount == pathCount {
        for offset in 0..<bucket.count {
          let rule = candidates[Int(bucket.first + offset)]
          if rule >= best { break }
          if holds(rule) {
            best = rule
            break
          }
        }
      }
      place = (place + 1) & (table.count - 1)
    }
  }

  /// A hash that grows along the path, so that all prefixes are hashed in one pass.
  private struct PathHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325
    private var position = 0

    mutating func add(_ path: RawSpan, upTo end: Int) {
      let octets = path.octets
      while position < end {
        state = (state ^ UInt64(octets[position])) &* 0x100_0000_01b3
        position += 1
      }
    }

    var value: UInt64 { state ^ (state >> 31) }
  }
}
