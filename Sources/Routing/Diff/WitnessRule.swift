import Wire

/// A rule of a snapshot, as a search for witnesses needs it: what makes each of its conditions hold, and what makes it
/// fail.
struct WitnessRule {
  /// What can be done about one condition.
  struct Condition {
    /// The plainest first.
    var holding: [Wish]
    var failing: [Wish]
    /// What it looks at, and what it compares that with; nil: it cannot be compared with another.
    var comparison: ConditionLanguage?
    /// As explanations have it: `headers[x-a] exact "1"`.
    var text = ""

    var plainest: Wish { holding.first ?? .nothing }
  }

  /// The rule in `Snapshot.rules`.
  let index: Int32
  /// Paths that it takes, the plainest first.
  let paths: [String]
  let conditions: [Condition]
  /// All paths that it takes; nil: unknown.
  let pathLanguage: TextLanguage?
  /// What all of them begin with.
  let pathStart: [UInt8]
  /// The path, or a rewrite of it, is a regular expression.
  let hasRegexPath: Bool
  /// All paths that its rewrite finds something in; nil: none, or unknown.
  let rewriteLanguage: TextLanguage?
  /// Everything that it asks for, everything that it does, and both, as text: rules of one signature are the same.
  let conditionText: String
  let actionText: String
  /// What it does, thing by thing.
  let actionSettings: [Setting]
  let acceptsConnect: Bool
  /// Has no condition on the path, or one that every path meets.
  let takesEveryPath: Bool
  var signature: String { conditionText + "\n" + actionText }
  /// `gateways/egress.yaml:31:5`
  let location: String

  /// - Parameter base: a request to the rule's virtual host.
  init(_ index: Int32, of snapshot: Snapshot, base: SampleRequest, _ context: MatchContext) {
    let rule = snapshot.rules[Int(index)]
    let maker = Maker(snapshot: snapshot, base: base, context: context)
    self.index = index
    pathLanguage = maker.pathLanguage(of: rule)
    pathStart = pathLanguage?.start ?? []
    let rewrite = maker.rewritePattern(of: rule)
    rewriteLanguage = rewrite.flatMap {
      RegexReader.searching(snapshot.regexes.sources[Int($0)].drop(prefix: "search:"))
    }
    hasRegexPath = rule.path == .regex || rewrite != nil
    paths = maker.paths(of: rule, rewrite) + Self.searched(rule, pathLanguage, rewriteLanguage)
    conditions = (0..<rule.predicateCount).map { offset in
      maker.condition(snapshot.predicates[Int(rule.firstPredicate + offset)])
    }
    conditionText = snapshot.conditions(of: rule)
    actionSettings = snapshot.actionSettings(of: rule)
    actionText = actionSettings.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
    acceptsConnect = rule.acceptsConnect
    takesEveryPath =
      rule.path == .any || rule.path == .prefix && snapshot.text(rule.pathStart, rule.pathCount) == "/"
    location = snapshot.routeFacts[Int(rule.route)].location
  }

  /// Paths that only a search finds: where no example is known, and where a rewrite finds something or nothing.
  private static func searched(_ rule: Rule, _ path: TextLanguage?, _ rewrite: TextLanguage?) -> [String] {
    guard let path else { return [] }
    guard let rewrite else { return rule.path == .regex ? [PathSearch.path(in: [path])].compactMap { $0 } : [] }
    return [PathSearch.path(in: [path, rewrite]), PathSearch.path(in: [path], notIn: [rewrite])].compactMap { $0 }
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

  /// Requests that satisfy this rule and another one, as far as both can be, and such as satisfy only one of them.
  func requests(with other: WitnessRule, from base: SampleRequest) -> [SampleRequest] {
    // Several paths, since one that both take is among those of the narrower one.
    let wishes = conditions.map(\.plainest) + other.conditions.map(\.plainest)
    let compared = hasRegexPath || other.hasRegexPath ? PathSearch.paths(self, other) : []
    var all = (paths + other.paths + compared).map { Self.applied(wishes, to: Wish.path($0).applied(to: base)) }
    let plain = (paths.first ?? other.paths.first).map { Wish.path($0).applied(to: base) } ?? base
    for condition in conditions {
      guard let left = condition.comparison else { continue }
      for right in other.conditions.compactMap(\.comparison) where right.isComparable(with: left) {
        all += left.wishes(against: right).map { Self.applied(wishes + [$0], to: plain) }
      }
    }
    return all
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

  func paths(of rule: Rule, _ rewrite: Int32?) -> [String] {
    let text = snapshot.text(rule.pathStart, rule.pathCount)
    var paths: [String]
    switch rule.path {
    case .any: paths = ["/", "/witness", "/w/x"]
    case .exact: paths = [text]
    case .prefix: paths = [text, text + "witness", text.hasSuffix("/") ? text + "w/x" : text + "/witness"]
    case .regex: paths = examples(of: rule.regex)
    }
    if rule.ignoresCase { paths += [text.uppercased(), text.lowercased()] }
    if let rewrite {
      // What the rewrite looks for, alone and behind the prefix.
      let found = examples(of: rewrite)
      paths += found + found.map { text + ($0.hasPrefix("/") && text.hasSuffix("/") ? String($0.dropFirst()) : $0) }
    }
    return paths.filter { $0.hasPrefix("/") }
  }

  func pathLanguage(of rule: Rule) -> TextLanguage? {
    let text = snapshot.text(rule.pathStart, rule.pathCount)
    switch rule.path {
    case .any: return .anything
    case .exact: return .literal(text, ignoresCase: rule.ignoresCase)
    case .prefix: return TextLanguage.literal(text, ignoresCase: rule.ignoresCase)?.followed(by: .anything)
    case .regex: return RegexReader.language(snapshot.regexes.sources[Int(rule.regex)])
    }
  }

  /// The regular expression that the rule's rewrite looks for.
  func rewritePattern(of rule: Rule) -> Int32? {
    let rewrite = snapshot.routes[Int(rule.route)].rewrite
    guard rewrite >= 0, case .regex(let regex, _) = snapshot.rewrites[Int(rewrite)].path else { return nil }
    return regex
  }

  /// Texts that match a regular expression of the snapshot.
  private func examples(of regex: Int32) -> [String] {
    let source = snapshot.regexes.sources[Int(regex)].drop(prefix: "search:")
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
    condition.comparison = ConditionLanguage(predicate, name: name, of: snapshot)
    condition.text = "\(snapshot.subject(of: predicate)) \(snapshot.wanted(predicate))"
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
  /// All that a rule does.
  fileprivate func actionSettings(of rule: Rule) -> [Setting] {
    let route = routes[Int(rule.route)]
    let all = settings(of: route)
    switch route.action {
    case .redirect: return all + [Setting("redirect", "\(redirects[Int(route.actionIndex)])")]
    case .directResponse: return all + [Setting("directResponse", "\(directResponses[Int(route.actionIndex)])")]
    case .forward:
      let own = destinations[Int(route.firstDestination)..<Int(route.firstDestination + route.destinationCount)]
        .filter { $0.weight > 0 || route.destinationCount == 1 }
      let divisor = max(1, own.reduce(0) { RequestOutcome.gcd($0, Int($1.weight)) })
      return all
        + own.flatMap { destination in
          let name = destination.cluster < 0 ? "none" : clusters[Int(destination.cluster)].name
          let share = own.count == 1 ? "" : " \(Int(destination.weight) / divisor)"
          return [Setting("destination", name + share)]
            + settings(of: destination).map { Setting("\($0.name) to \(name)", $0.value) }
        }
    }
  }
}
