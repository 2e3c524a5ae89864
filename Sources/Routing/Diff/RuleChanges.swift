/// Decides which rules changed in a way that may matter to requests although none was found that shows it.
struct RuleChanges {
  /// The rules that a host has on one side.
  struct Side {
    let all: [WitnessRule]
    /// Those between the rules that both sides begin and end with.
    let changed: ArraySlice<WitnessRule>
    /// Indexes of rules whose requests are known to be treated differently.
    let shown: Set<Int32>
  }

  let old: Side
  let new: Side

  /// Rules that are compared with one rule at most.
  private static let maxComparisons = 12
  /// Rules that are looked at; more of them that no request shows are not told apart any more.
  private static let maxRules = 500

  /// The changes, those of both sides in pairs as they stand.
  var unwitnessed: [RuleChange] {
    let left = suspects(old, new)
    let right = suspects(new, old)
    return (0..<max(left.count, right.count)).map { index in
      let before = index < left.count ? left[index] : nil
      let after = index < right.count ? right[index] : nil
      return RuleChange(old: before?.location, new: after?.location, changes: Self.changes(before, after))
    }
  }

  private static func changes(_ old: WitnessRule?, _ new: WitnessRule?) -> [ValueChange] {
    let conditions = ValueChange("match", old?.conditionText, new?.conditionText)
    guard let old, let new else { return [conditions] }
    return (old.conditionText == new.conditionText ? [] : [conditions])
      + ValueChange.between(old.actionSettings, new.actionSettings)
  }

  /// Rules of one side that the other has not, that can be reached, and whose requests are not all treated as there.
  private func suspects(_ side: Side, _ other: Side) -> [WitnessRule] {
    let known = Dictionary(grouping: other.changed, by: \.signature)
    let order = Dictionary(
      other.changed.enumerated().map { ($1.signature, $0) }, uniquingKeysWith: { first, _ in first })
    var last = -1
    var found: [WitnessRule] = []
    for rule in side.changed where found.count < Self.maxRules {
      if known[rule.signature] != nil {
        // It may have moved past a rule that takes the same requests; that was looked for unless it is not understood.
        let position = order[rule.signature] ?? 0
        let isMoved = position < last
        last = max(last, position)
        guard isMoved, !rule.isUnderstood else { continue }
      }
      if side.shown.contains(rule.index) || isUnreachable(rule, side) || isServedAlike(rule, other) { continue }
      found.append(rule)
    }
    return found
  }

  /// Earlier rules take all its requests.
  private func isUnreachable(_ rule: WitnessRule, _ side: Side) -> Bool {
    isCovered(rule, by: side.all.prefix { $0.index < rule.index })
  }

  /// Rules of the other side that do the same take all its requests.
  private func isServedAlike(_ rule: WitnessRule, _ other: Side) -> Bool {
    isCovered(rule, by: other.all.filter { $0.actionText == rule.actionText }[...])
  }

  private func isCovered(_ rule: WitnessRule, by others: ArraySlice<WitnessRule>) -> Bool {
    var paths: [TextLanguage] = []
    for other in others where other.takesConditions(of: rule) {
      if other.conditionText == rule.conditionText { return true }
      guard let path = other.pathLanguage, !TextLanguage.areDisjoint(other.pathStart, rule.pathStart) else { continue }
      if path == .anything || other.takesEveryPath { return true }
      if paths.count < Self.maxComparisons { paths.append(path) }
    }
    guard let path = rule.pathLanguage, !paths.isEmpty else { return false }
    return PathSearch.isNone(in: path, notIn: paths)
  }
}

extension WitnessRule {
  /// All of its conditions can be compared with others.
  var isUnderstood: Bool { pathLanguage != nil && conditions.allSatisfy { $0.comparison != nil } }

  /// Whatever meets the conditions of `other`, the path apart, meets those of this rule, for certain.
  func takesConditions(of other: WitnessRule) -> Bool {
    acceptsConnect == other.acceptsConnect
      && conditions.allSatisfy { wanted in
        other.conditions.contains { given in
          if wanted.text == given.text { return true }
          guard let wide = wanted.comparison, let narrow = given.comparison else { return false }
          return narrow.implies(wide)
        }
      }
  }
}
