import Wire

/// A rule of a snapshot, as a search for witnesses needs it: what makes each of its conditions hold, and what makes it
/// fail.
struct WitnessRule {
  /// What can be done about one condition.
  struct Condition {
    /// The plainest first.
    var holding: [Wish]
    var failing: [Wish]

    var plainest: Wish { holding.first ?? .nothing }
  }

  /// The rule in `Snapshot.rules`.
  let index: Int32
  /// Paths that it takes, the plainest first.
  let paths: [String]
  let conditions: [Condition]
  /// Everything that it asks for and does, as text: rules of one signature are the same.
  let signature: String

  /// - Parameter base: a request to the rule's virtual host.
  init(_ index: Int32, of snapshot: Snapshot, base: SampleRequest, _ context: MatchContext) {
    let rule = snapshot.rules[Int(index)]
    let maker = Maker(snapshot: snapshot, base: base, context: context)
    self.index = index
    paths = maker.paths(of: rule)
    conditions = (0..<rule.predicateCount).map { offset in
      maker.condition(snapshot.predicates[Int(rule.firstPredicate + offset)])
    }
    signature = snapshot.signature(of: rule)
  }

  /// What makes the rule fail, one condition at a time.
  var avoidance: [Wish] { conditions.flatMap(\.failing) }

  /// Requests that satisfy it in all its ways, and for each condition one that satisfies all others.
  func requests(from base: SampleRequest) -> [SampleRequest] {
    guard let first = paths.first else { return [] }
    let plain = Wish.path(first).applied(to: base)
    let plainest = conditions.map(\.plainest)
    var all = paths.map { Self.applied(plainest, to: Wish.path($0).applied(to: base)) }
    for (position, condition) in conditions.enumerated() {
      for other in condition.holding.dropFirst() + condition.failing {
        var chosen = plainest
        chosen[position] = other
        all.append(Self.applied(chosen, to: plain))
      }
    }
    if !conditions.isEmpty { all.append(plain) }
    return all
  }

  /// Requests that satisfy this rule and another one, as far as both can be.
  func requests(with other: WitnessRule, from base: SampleRequest) -> [SampleRequest] {
    // Several paths, since one that both take is among those of the narrower one.
    (paths + other.paths).map { path in
      let plain = Wish.path(path).applied(to: base)
      return Self.applied(conditions.map(\.plainest) + other.conditions.map(\.plainest), to: plain)
    }
  }

  private static func applied(_ wishes: [Wish], to base: SampleRequest) -> SampleRequest {
    wishes.reduce(base) { $1.applied(to: $0) }
  }
}

/// Makes up paths and values for conditions.
private struct Maker {
  let snapshot: Snapshot
  let base: SampleRequest
  let context: MatchContext

  func paths(of rule: Rule) -> [String] {
    let text = snapshot.text(rule.pathStart, rule.pathCount)
    var paths: [String]
    switch rule.path {
    case .any: paths = ["/", "/witness", "/w/x"]
    case .exact: paths = [text]
    case .prefix: paths = [text, text + "witness", text.hasSuffix("/") ? text + "w/x" : text + "/witness"]
    case .regex: paths = examples(of: rule.regex)
    }
    if rule.ignoresCase { paths += [text.uppercased(), text.lowercased()] }
    return paths.filter { $0.hasPrefix("/") }
  }

  /// Texts that match a regular expression of the snapshot.
  private func examples(of regex: Int32) -> [String] {
    let source = snapshot.regexes.sources[Int(regex)]
    var texts: [String] = []
    for taste in RegexExample.Taste.allCases {
      guard let text = RegexExample.text(for: source, taste), !texts.contains(text) else { continue }
      let bytes = Array(text.utf8)
      if snapshot.regexes.matches(regex, bytes.span.raw, context) { texts.append(text) }
    }
    return texts
  }

  func condition(_ predicate: Predicate) -> WitnessRule.Condition {
    let name = snapshot.name(of: predicate)
    let values = values(of: predicate)
    var condition: WitnessRule.Condition
    switch predicate.subject {
    // The listener decides the scheme.
    case .scheme: condition = .init(holding: [], failing: [])
    case .method:
      condition = .init(holding: values.holding.map { .method($0) }, failing: values.failing.map { .method($0) })
    case .authority: condition = authority(predicate, values)
    case .header:
      condition = .init(
        holding: values.holding.map { .field(name: name, value: $0) },
        failing: [.noField(name: name)] + values.failing.map { .field(name: name, value: $0) })
    case .queryParameter:
      condition = .init(
        holding: values.holding.map { .parameter(name: name, value: $0) },
        failing: [.noParameter(name: name)] + values.failing.map { .parameter(name: name, value: $0) })
    }
    if predicate.isInverted { swap(&condition.holding, &condition.failing) }
    return condition
  }

  /// Values that the comparison holds for, and some that it does not.
  private func values(of predicate: Predicate) -> (holding: [String], failing: [String]) {
    let text = snapshot.text(predicate.valueStart, predicate.valueCount)
    switch predicate.comparison {
    case .present: return (["witness"], [])
    case .exact: return ([text], [text + "-witness"])
    case .prefix: return ([text, text + "-witness"], ["witness-" + text])
    case .regex: return (examples(of: predicate.regex), ["~witness~"])
    }
  }

  /// An authority has to lead to the same virtual host as well: the host with and without a port, in another case, and
  /// with the wanted beginning.
  private func authority(
    _ predicate: Predicate, _ values: (holding: [String], failing: [String])
  ) -> WitnessRule.Condition {
    let host = SampleRequest.split(base.authority[...]).host
    let text = snapshot.text(predicate.valueStart, predicate.valueCount)
    let candidates = [base.authority, host, "\(host):\(base.port)", host.uppercased(), text + host] + values.holding
    var condition = WitnessRule.Condition(holding: [], failing: [])
    for candidate in candidates {
      guard let head = try? Wish.authority(candidate).applied(to: base).head() else { continue }
      if snapshot.holds(predicate, head, base.isTLS, context) {
        condition.holding.append(.authority(candidate))
      } else {
        condition.failing.append(.authority(candidate))
      }
    }
    return condition
  }
}

extension Snapshot {
  /// All that a rule asks for and does, as text.
  func signature(of rule: Rule) -> String {
    let route = routes[Int(rule.route)]
    var parts = [conditions(of: rule)] + settings(of: route).map { "\($0.name)=\($0.value)" }
    switch route.action {
    case .redirect: parts.append("\(redirects[Int(route.actionIndex)])")
    case .directResponse: parts.append("\(directResponses[Int(route.actionIndex)])")
    case .forward:
      for index in route.firstDestination..<route.firstDestination + route.destinationCount {
        let destination = destinations[Int(index)]
        let name = destination.cluster < 0 ? "none" : clusters[Int(destination.cluster)].name
        parts.append("\(name) \(destination.weight)")
        parts += settings(of: destination).map { "\($0.name)=\($0.value)" }
      }
    }
    return parts.joined(separator: "\n")
  }
}
