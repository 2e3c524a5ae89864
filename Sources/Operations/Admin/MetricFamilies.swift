/// Samples in Prometheus' text format, gathered by family, so that each family has one HELP and one TYPE line.
struct MetricFamilies {
  private let filter: StatisticsFilter?
  private let usedOnly: Bool
  private var order: [String] = []
  private var heads: [String: String] = [:]
  private var samples: [String: [String]] = [:]

  /// What a family is.
  struct Family {
    let name: String
    let type: String
    let help: String

    static func counter(_ name: String, _ help: String) -> Family { Family(name: name, type: "counter", help: help) }
    static func gauge(_ name: String, _ help: String) -> Family { Family(name: name, type: "gauge", help: help) }
    static func histogram(_ name: String, _ help: String) -> Family {
      Family(name: name, type: "histogram", help: help)
    }
  }

  /// - Parameters:
  ///   - filter: which families to write, by their names; nil for all.
  ///   - usedOnly: leaves out samples that are zero.
  init(filter: StatisticsFilter?, usedOnly: Bool) {
    self.filter = filter
    self.usedOnly = usedOnly
  }

  mutating func add(_ family: Family, _ value: Int, _ labels: [(String, String)] = [], suffix: String = "") {
    let name = family.name
    guard value != 0 || !usedOnly, filter?.matches(name) ?? true else { return }
    if heads[name] == nil {
      order.append(name)
      heads[name] = "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
    }
    let text = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    samples[name, default: []].append("\(name)\(suffix)\(text.isEmpty ? "" : "{\(text)}") \(value)")
  }

  /// A histogram: how many values are at most each bound.
  mutating func add(
    _ family: Family, counts: [Int], bounds: [Int], sum: Int, _ labels: [(String, String)]
  ) {
    var total = 0
    for (count, bound) in zip(counts, bounds) {
      total += count
      add(family, total, labels + [("le", "\(bound)")], suffix: "_bucket")
    }
    let all = counts.reduce(0, +)
    add(family, all, labels + [("le", "+Inf")], suffix: "_bucket")
    add(family, sum, labels, suffix: "_sum")
    add(family, all, labels, suffix: "_count")
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
  }

  var text: String {
    order.map { (heads[$0] ?? "") + (samples[$0] ?? []).map { $0 + "\n" }.joined() }.joined()
  }
}
