import Routing

/// Differences for people: what opens and closes, then requests, certificates, upstreams.
package struct DifferenceText {
  private var lines: [String] = []

  /// The text; it says so when nothing differs.
  package static func text(_ differences: [InstanceDifference]) -> String {
    guard !differences.isEmpty else { return "No request sees a difference.\n" }
    var text = DifferenceText()
    for difference in differences {
      if !text.lines.isEmpty { text.lines.append("") }
      text.add(difference)
    }
    return text.lines.joined(separator: "\n") + "\n"
  }

  private mutating func add(_ difference: InstanceDifference) {
    lines.append(difference.instance + (difference.kind == .changed ? "" : "  \(difference.kind.rawValue)"))
    for listener in difference.listeners {
      let words: [NamedDifference.Kind: String] = [.added: "opens", .removed: "closes", .changed: "changes"]
      add(listener, label: "listener \(words[listener.kind] ?? "")", mark: Self.mark(listener.kind))
    }
    for request in difference.requests { add(request) }
    for rule in difference.rules { add(rule) }
    for certificate in difference.certificates { add(certificate, label: "server name") }
    for cluster in difference.clusters { add(cluster, label: "cluster") }
    for other in difference.others { add(other, label: "setting") }
  }

  private static func mark(_ kind: NamedDifference.Kind) -> String {
    switch kind {
    case .added: return "+"
    case .removed: return "-"
    case .changed: return "~"
    }
  }

  private mutating func add(_ item: NamedDifference, label: String, mark: String? = nil) {
    lines.append("  \(mark ?? Self.mark(item.kind)) \(label)  \(item.name)")
    // What is new or gone altogether needs no list of its parts.
    guard item.kind == .changed else { return }
    for change in item.changes { lines.append("      \(Self.text(change))") }
  }

  private mutating func add(_ request: RequestDifference) {
    let witness = request.witness
    lines.append("  ~ \(witness.isHTTP ? "request" : "connection")  \(witness.command)" + Self.addresses(witness))
    lines.append("      at \(request.listener)" + Self.hosts(request.hosts))
    lines.append("      was  \(request.old.destination)" + Self.rule(request.old))
    lines.append("      is   \(request.new.destination)" + Self.rule(request.new))
    for change in request.changes where change.name != "destination" { lines.append("      \(Self.text(change))") }
  }

  private mutating func add(_ rule: RuleDifference) {
    lines.append("  ? rule changed, no witness found")
    lines.append("      at \(rule.listener), for \(rule.hosts[0])" + Self.hosts(rule.hosts))
    lines.append("      was  \(rule.change.old ?? "not there")")
    lines.append("      is   \(rule.change.new ?? "not there")")
    for change in rule.change.changes { lines.append("      \(Self.text(change))") }
  }

  private static func addresses(_ witness: SampleRequest) -> String {
    guard !witness.isHTTP else { return "" }
    return (witness.source.map { "  from \($0)" } ?? "") + (witness.address.map { "  to \($0)" } ?? "")
  }

  private static func hosts(_ hosts: [String]) -> String {
    hosts.count < 2
      ? ""
      : ", the same for \(hosts.dropFirst().prefix(5).joined(separator: ", "))"
        + (hosts.count > 6 ? " and \(hosts.count - 6) more" : "")
  }

  private static func rule(_ outcome: RequestOutcome) -> String {
    outcome.location.map { "  by \($0)" } ?? ""
  }

  private static func text(_ change: ValueChange) -> String {
    "\(change.name): \(change.old ?? "none") → \(change.new ?? "none")"
  }
}
