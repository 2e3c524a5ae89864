/// Looks for requests to one host that two snapshots treat differently.
///
/// A request can only be treated differently if it matches a rule that changed, so those are searched for: requests
/// that satisfy each of them, each pair of them, and all but one of their conditions. When another rule takes such a
/// request away, the search tries to get past that rule by failing one of its conditions.
struct WitnessSearch {
  /// One side.
  struct Side {
    let explainer: Explainer
    let listener: Int32
  }

  /// What a request showed.
  struct Finding {
    let witness: SampleRequest
    let old: RequestOutcome
    let new: RequestOutcome
    let changes: [ValueChange]
  }

  private let old: Side
  private let new: Side
  private let base: SampleRequest
  private let context = MatchContext()
  private var seen: Set<SampleRequest> = []
  private(set) var findings: [Finding] = []
  /// Rules that changed, and no request was found that shows it.
  private(set) var unwitnessed: [RuleChange] = []
  /// The rules that took the requests of findings.
  private var shown: (old: Set<Int32>, new: Set<Int32>) = ([], [])

  /// Requests that are made out of one to get past rules that take it away.
  private static let maxDetours = 40
  /// Pairs of changed rules that are looked at; beyond them only neighbours are.
  private static let maxPairs = 20_000

  /// - Parameter base: a plain request to the host.
  init(old: Side, new: Side, base: SampleRequest) {
    self.old = old
    self.new = new
    self.base = base
  }

  /// Runs the search.
  mutating func run() {
    let (before, after) = (rules(old), rules(new))
    let changed = Self.changed(before.rules, after.rules, isWhole: before.host != after.host)
    let known = (Self.byIndex(before.rules), Self.byIndex(after.rules))
    for target in changed.old + changed.new {
      for request in target.requests(from: base) { explore(request, target, known) }
    }
    for (first, second) in Self.pairs(changed.old + changed.new) {
      for request in first.requests(with: second, from: base) { explore(request, second, known) }
    }
    // The last ones are paths to those who normalise them.
    for path in ["/", "/witness/of/no/rule", "//witness", "/witness%2fof", "/witness/%2e%2e/of"] {
      _ = evaluate(Wish.path(path).applied(to: base))
    }
    unwitnessed =
      RuleChanges(
        old: .init(all: before.rules, changed: changed.old, shown: shown.old),
        new: .init(all: after.rules, changed: changed.new, shown: shown.new)
      ).unwitnessed
  }

  // MARK: Rules that changed

  /// The rules that the host leads to, and whatever else of the virtual host matters to requests.
  private func rules(_ side: Side) -> (rules: [WitnessRule], host: [Setting]) {
    let snapshot = side.explainer.snapshot
    let host = side.explainer.explain(base, listener: side.listener, depth: .outcome).match.virtualHost
    guard host >= 0 else { return ([], [Setting("host", "none")]) }
    let virtualHost = snapshot.virtualHosts[Int(host)]
    let rules = (virtualHost.firstRule..<virtualHost.firstRule + virtualHost.ruleCount).map {
      WitnessRule($0, of: snapshot, base: base, context)
    }
    return (rules, [Setting("requiresTLS", "\(virtualHost.requiresTLS)")] + snapshot.settings.described)
  }

  /// Without the rules that both sides begin and end with.
  private static func changed(
    _ old: [WitnessRule], _ new: [WitnessRule], isWhole: Bool
  ) -> (old: ArraySlice<WitnessRule>, new: ArraySlice<WitnessRule>) {
    if isWhole { return (old[...], new[...]) }
    var start = 0
    while start < min(old.count, new.count), old[start].signature == new[start].signature { start += 1 }
    var end = 0
    while end < min(old.count, new.count) - start,
      old[old.count - 1 - end].signature == new[new.count - 1 - end].signature
    {
      end += 1
    }
    return (old[start..<old.count - end], new[start..<new.count - end])
  }

  private static func pairs(_ rules: ArraySlice<WitnessRule>) -> [(WitnessRule, WitnessRule)] {
    let all = Array(rules)
    let reach = all.count * all.count <= maxPairs ? all.count : max(1, maxPairs / max(1, all.count))
    return all.indices.flatMap { first in
      all.indices.dropFirst(first + 1).prefix(reach).map { (all[first], all[$0]) }
    }
  }

  private static func byIndex(_ rules: [WitnessRule]) -> [Int32: WitnessRule] {
    Dictionary(uniqueKeysWithValues: rules.map { ($0.index, $0) })
  }

  // MARK: Requests

  private typealias Known = ([Int32: WitnessRule], [Int32: WitnessRule])

  /// Evaluates a request that is meant for `target`, and detours past the rules that take it away.
  private mutating func explore(_ request: SampleRequest, _ target: WitnessRule, _ known: Known) {
    var queue = [request]
    var next = 0
    while next < queue.count, next < Self.maxDetours {
      let current = queue[next]
      next += 1
      guard let (before, after) = evaluate(current), before != target.index || after != target.index else { continue }
      let obstacles = [known.0[before], known.1[after]].compactMap { $0 }.filter { $0.signature != target.signature }
      for obstacle in obstacles {
        if let path = Self.path(of: target, past: obstacles) { queue.append(Wish.path(path).applied(to: current)) }
        let detours = obstacle.avoidance + target.paths.map { .path($0) } + target.conditions.flatMap(\.holding)
        for detour in detours where queue.count < Self.maxDetours {
          let other = detour.applied(to: current)
          if !seen.contains(other) { queue.append(other) }
        }
      }
    }
  }

  /// A path of a rule that other ones do not take; only regular expressions need to be searched for it.
  private static func path(of target: WitnessRule, past obstacles: [WitnessRule]) -> String? {
    guard let path = target.pathLanguage, target.hasRegexPath || obstacles.contains(where: \.hasRegexPath) else {
      return nil
    }
    return PathSearch.path(in: [path], notIn: obstacles.compactMap(\.pathLanguage))
  }

  /// Runs a request on both sides. The rules that took it, -1 for none; nil when it was run before, or shows a
  /// difference, which is enough.
  private mutating func evaluate(_ request: SampleRequest) -> (old: Int32, new: Int32)? {
    guard seen.insert(request).inserted else { return nil }
    let before = old.explainer.explain(request, listener: old.listener, depth: .outcome)
    let after = new.explainer.explain(request, listener: new.listener, depth: .outcome)
    let outcomes = (RequestOutcome(before, old.explainer.snapshot), RequestOutcome(after, new.explainer.snapshot))
    let changes = RequestOutcome.changes(from: outcomes.0, to: outcomes.1)
    guard changes.isEmpty else {
      shown.old.insert(before.match.rule)
      shown.new.insert(after.match.rule)
      let witness = telling(request, changes)
      findings.append(Finding(witness: witness, old: outcomes.0, new: outcomes.1, changes: changes))
      return nil
    }
    return (before.match.rule, after.match.rule)
  }

  /// A request that is answered differently where only `corsPolicy` changed: one of a page of another origin, and a
  /// preflight for what only preflights are told.
  private func telling(_ request: SampleRequest, _ changes: [ValueChange]) -> SampleRequest {
    let parts = changes.map { $0.name.drop(prefix: "corsPolicy.") }
    guard zip(parts, changes).allSatisfy({ $0 != $1.name }) else { return request }
    var telling = request
    telling.fields.removeAll { $0.name.lowercased() == "origin" }
    telling.add("origin", origin(request))
    guard !parts.contains("allowOrigins"), !parts.contains("allowCredentials"), !parts.contains("exposeHeaders") else {
      return telling
    }
    let method = telling.method == "OPTIONS" ? "GET" : telling.method
    telling.method = "OPTIONS"
    telling.add("access-control-request-method", method)
    return telling
  }

  /// An origin that one side allows, one that only one of them does if possible.
  private func origin(_ request: SampleRequest) -> String {
    let lists = [old, new].map { side -> [TextLanguage] in
      let snapshot = side.explainer.snapshot
      let route = side.explainer.explain(request, listener: side.listener, depth: .outcome).match.route
      guard route >= 0, let cors = snapshot.extras(of: snapshot.routes[Int(route)])?.cors else { return [] }
      return cors.origins.compactMap { origin in
        switch origin {
        case .any: .anything
        case .exact(let text): .literal(Snapshot.text(text))
        case .prefix(let text): TextLanguage.literal(Snapshot.text(text))?.followed(by: .anything)
        case .regex(let index): RegexReader.language(snapshot.regexes.sources[Int(index)])
        }
      }
    }
    let likely = TextLanguage.literal("https://")?.followed(by: .anything) ?? .anything
    let host = TextLanguage.literal("https://witness.invalid") ?? .anything
    for (side, other) in [(lists[0], lists[1]), (lists[1], lists[0]), (lists[0], []), (lists[1], [])] {
      for shape in [host, likely, .anything] {
        if case .found(let text) = TextLanguage.text(in: [shape, .oneOf(side)], notIn: other, of: .path) {
          return text
        }
      }
    }
    return "https://witness.invalid"
  }
}
