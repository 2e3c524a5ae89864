/// Finds what somebody may have meant.
package enum Suggestion {
  /// `did you mean "x"?` for the nearest of `candidates`, nil when none is near.
  package static func help(for word: String, among candidates: some Sequence<String>) -> String? {
    nearest(to: word, among: candidates).map { "did you mean \"\($0)\"?" }
  }

  /// The candidate with the smallest edit distance, if it is small in proportion to the word.
  package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().utf8)
    guard wanted.count <= 256 else { return nil }
    var best: (String, Int)?
    for candidate in candidates {
      let distance = distance(wanted, Array(candidate.lowercased().utf8))
      if distance < best?.1 ?? Int.max { best = (candidate, distance) }
    }
    guard let (candidate, distance) = best, distance <= max(1, min(wanted.count, candidate.utf8.count) / 3) else {
      return nil
    }
    return candidate
  }

  /// Edits (insert, delete, replace, swap neighbours) between two words.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    if abs(left.count - right.count) > 8 { return 100 }
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 1...left.count {
      var current = [row] + [Int](repeating: 0, count: right.count)
      for column in 1...right.count {
        let cost = left[row - 1] == right[column - 1] ? 0 : 1
        var value = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + cost)
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          value = min(value, beforeLast[column - 2] + 1)
        }
        current[column] = value
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
