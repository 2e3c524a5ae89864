import Routing
import Wire

/// A regular expression that selects counters by name: found anywhere in it, as in Envoy.
struct StatisticsFilter {
  private let table = RegexTable()
  private let index: Int32
  private let context = MatchContext()

  /// nil when the expression is not valid.
  init?(_ pattern: String) {
    guard let index = try? table.add(pattern, anchored: false) else { return nil }
    self.index = index
  }

  func matches(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    return table.matches(index, bytes.span.raw, context)
  }
}
