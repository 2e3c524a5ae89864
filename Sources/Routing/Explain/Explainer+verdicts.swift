import Wire

/// Why rules match or not. Whether they do is asked of the matchers of the data plane; here it is put into words.
extension Explainer {
  /// The verdicts on the rules of a virtual host up to the one that matched (-1: all of them).
  func verdicts(_ host: VirtualHost, upTo matched: Int32, _ head: borrowing RequestHead, isTLS: Bool) -> [RuleVerdict] {
    let end = matched >= 0 ? matched + 1 : host.firstRule + host.ruleCount
    var verdicts: [RuleVerdict] = []
    for index in host.firstRule..<end {
      let rule = snapshot.rules[Int(index)]
      verdicts.append(verdict(rule, failure: index == matched ? nil : failure(of: rule, head, isTLS: isTLS)))
    }
    return verdicts
  }

  /// The verdict on the rule that matched alone; none for -1.
  func matched(_ rule: Int32) -> [RuleVerdict] {
    rule >= 0 ? [verdict(snapshot.rules[Int(rule)], failure: nil)] : []
  }

  private func verdict(_ rule: Rule, failure: RuleVerdict.Failure?) -> RuleVerdict {
    let facts = snapshot.routeFacts[Int(rule.route)]
    return RuleVerdict(
      name: facts.name, virtualService: facts.virtualService, location: facts.location,
      conditions: snapshot.conditions(of: rule), failure: failure)
  }

  /// The first condition of a rule that does not hold.
  private func failure(of rule: Rule, _ head: borrowing RequestHead, isTLS: Bool) -> RuleVerdict.Failure? {
    let path = head.bytes(head.path)
    if !snapshot.pathHolds(rule, path, context) {
      return .init(
        condition: "uri", wanted: snapshot.wantedPath(rule), had: Self.quoted(head.text(head.path)))
    }
    if head.isConnect, !rule.acceptsConnect {
      return .init(condition: "method", wanted: "no CONNECT", had: Self.quoted(head.text(head.methodName)))
    }
    for offset in 0..<rule.predicateCount {
      let predicate = snapshot.predicates[Int(rule.firstPredicate + offset)]
      guard !snapshot.holds(predicate, head, isTLS, context) else { continue }
      return .init(
        condition: snapshot.subject(of: predicate), wanted: snapshot.wanted(predicate),
        had: had(predicate, head, isTLS: isTLS))
    }
    return nil
  }

  private func had(_ predicate: Predicate, _ head: borrowing RequestHead, isTLS: Bool) -> String {
    let name = snapshot.name(of: predicate)
    switch predicate.subject {
    case .scheme: return Self.quoted(isTLS ? "https" : "http")
    case .method: return Self.quoted(head.text(head.methodName))
    case .authority: return Self.quoted(head.text(head.authority))
    case .header:
      var values: [String] = []
      for index in 0..<head.headers.tableCount {
        let field = head.headers.field(at: index)
        if !field.isRemoved, head.text(field.name).lowercased() == name { values.append(head.text(field.value)) }
      }
      return values.isEmpty ? "absent" : Self.quoted(values.joined(separator: ","))
    case .queryParameter:
      for pair in head.text(head.query).split(separator: "&", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts[0] == name { return Self.quoted(parts.count > 1 ? String(parts[1]) : "") }
      }
      return "absent"
    }
  }

  static func quoted(_ text: String) -> String { "\"\(text)\"" }
}

extension Snapshot {
  /// All conditions of a rule in words; `any request` when there are none.
  package func conditions(of rule: Rule) -> String {
    var all = rule.path == .any ? [] : ["uri \(wantedPath(rule))"]
    for offset in 0..<rule.predicateCount {
      let predicate = predicates[Int(rule.firstPredicate + offset)]
      all.append("\(subject(of: predicate)) \(wanted(predicate))")
    }
    return all.isEmpty ? "any request" : all.joined(separator: ", ")
  }

  /// `prefix "/api"`
  func wantedPath(_ rule: Rule) -> String {
    let text =
      rule.path == .regex ? regexes.sources[Int(rule.regex)] : self.text(rule.pathStart, rule.pathCount)
    return "\(rule.path) \(Explainer.quoted(text))" + (rule.ignoresCase ? " ignoring case" : "")
  }

  /// `exact "1"`, `present`; for `withoutHeaders` `not exact "1"`, `absent`.
  func wanted(_ predicate: Predicate) -> String {
    guard predicate.comparison != .present else { return predicate.isInverted ? "absent" : "present" }
    let text =
      predicate.comparison == .regex
      ? regexes.sources[Int(predicate.regex)] : self.text(predicate.valueStart, predicate.valueCount)
    return "\(predicate.isInverted ? "not " : "")\(predicate.comparison) \(Explainer.quoted(text))"
  }

  /// The condition's name in a VirtualService.
  func subject(of predicate: Predicate) -> String {
    switch predicate.subject {
    case .header: return "\(predicate.isInverted ? "withoutHeaders" : "headers")[\(name(of: predicate))]"
    case .queryParameter: return "queryParams[\(name(of: predicate))]"
    case .scheme, .method, .authority: return "\(predicate.subject)"
    }
  }

  /// The field's or parameter's name.
  func name(of predicate: Predicate) -> String { text(predicate.nameStart, predicate.nameCount) }

  func text(_ start: Int32, _ count: Int32) -> String {
    String(decoding: bytes[Int(start)..<Int(start + count)], as: UTF8.self)
  }
}
