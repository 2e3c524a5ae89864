import Wire

extension Snapshot {
  /// Finds the virtual host and the first rule that matches.
  ///
  /// - Parameters:
  ///   - routeConfiguration: the one of the listener or filter chain, -1 for none.
  ///   - context: the worker's working memory for regular expressions.
  package func match(
    routeConfiguration: Int32, head: borrowing RequestHead, isTLS: Bool, context: MatchContext
  ) -> RouteMatch {
    guard routeConfiguration >= 0 else { return .none }
    let host = hosts.find(Authority.host(of: head.bytes(head.authority)), scope: routeConfiguration)
    guard host >= 0 else { return .none }
    let virtualHost = virtualHosts[Int(host)]
    let path = head.bytes(head.path)
    let before = context.limitsExceeded
    var rule: Int32 = -1
    if virtualHost.index >= 0 {
      rule = routeIndexes[Int(virtualHost.index)].firstMatch(path) {
        holds(rules[Int($0)], path, head, isTLS, context)
      }
    } else {
      rule = scan(virtualHost, path, head, isTLS, context)
    }
    return found(rule, of: host, gaveUp: context.limitsExceeded != before)
  }

  /// First match by looking at one rule after the other: the meaning of the index, and its oracle in tests.
  package func matchByScan(
    routeConfiguration: Int32, head: borrowing RequestHead, isTLS: Bool, context: MatchContext
  ) -> RouteMatch {
    guard routeConfiguration >= 0 else { return .none }
    let host = hosts.find(Authority.host(of: head.bytes(head.authority)), scope: routeConfiguration)
    guard host >= 0 else { return .none }
    let before = context.limitsExceeded
    let rule = scan(virtualHosts[Int(host)], head.bytes(head.path), head, isTLS, context)
    return found(rule, of: host, gaveUp: context.limitsExceeded != before)
  }

  @inline(__always)
  private func found(_ rule: Int32, of host: Int32, gaveUp: Bool) -> RouteMatch {
    RouteMatch(virtualHost: host, route: rule >= 0 ? rules[Int(rule)].route : -1, rule: rule, gaveUp: gaveUp)
  }

  private func scan(
    _ host: VirtualHost, _ path: RawSpan, _ head: borrowing RequestHead, _ isTLS: Bool, _ context: MatchContext
  ) -> Int32 {
    for index in host.firstRule..<host.firstRule + host.ruleCount
    where holds(rules[Int(index)], path, head, isTLS, context) {
      return index
    }
    return -1
  }

  private func holds(
    _ rule: Rule, _ path: RawSpan, _ head: borrowing RequestHead, _ isTLS: Bool, _ context: MatchContext
  ) -> Bool {
    guard pathHolds(rule, path, context) else { return false }
    if case .connect = head.method, !rule.acceptsConnect { return false }
    for offset in 0..<rule.predicateCount {
      let predicate = predicates[Int(rule.firstPredicate + offset)]
      if !self.holds(predicate, head, isTLS, context) { return false }
    }
    return true
  }

  /// Whether the path condition of a rule holds.
  func pathHolds(_ rule: Rule, _ path: RawSpan, _ context: MatchContext) -> Bool {
    let count = Int(rule.pathCount)
    switch rule.path {
    case .any: return true
    case .exact: return path.byteCount == count && begins(path, rule)
    case .prefix: return path.byteCount >= count && begins(path, rule)
    case .regex: return regexes.matches(rule.regex, path, context)
    }
  }

  private func begins(_ path: RawSpan, _ rule: Rule) -> Bool {
    let octets = path.octets
    let start = Int(rule.pathStart)
    if rule.ignoresCase {
      for index in 0..<Int(rule.pathCount)
      where PathBytes.lowercased(octets[index]) != PathBytes.lowercased(bytes[start + index]) {
        return false
      }
      return true
    }
    for index in 0..<Int(rule.pathCount) where octets[index] != bytes[start + index] { return false }
    return true
  }

  // MARK: Predicates

  /// Whether a condition besides the path holds.
  func holds(
    _ predicate: Predicate, _ head: borrowing RequestHead, _ isTLS: Bool, _ context: MatchContext
  ) -> Bool {
    switch predicate.subject {
    case .scheme: return compare(predicate, (isTLS ? "https" : "http"), context)
    case .method: return compare(predicate, head.bytes(head.methodName), context)
    case .authority: return compare(predicate, head.bytes(head.authority), context)
    case .header: return headerHolds(predicate, head, context)
    case .queryParameter: return queryHolds(predicate, head, context)
    }
  }

  private func compare(_ predicate: Predicate, _ text: StaticString, _ context: MatchContext) -> Bool {
    // A scheme is never long and never on a hot route.
    let copy = Array(text.description.utf8)
    return compare(predicate, copy.span.raw, context)
  }

  private func compare(_ predicate: Predicate, _ value: RawSpan, _ context: MatchContext) -> Bool {
    let bytes = bytes
    let wanted = bytes.span.raw.extracting(
      Int(predicate.valueStart)..<Int(predicate.valueStart + predicate.valueCount))
    switch predicate.comparison {
    case .present: return true
    case .exact: return value.equals(wanted)
    case .prefix: return value.byteCount >= wanted.byteCount && value.extracting(first: wanted.byteCount).equals(wanted)
    case .regex: return regexes.matches(predicate.regex, value, context)
    }
  }

  /// Several fields of a name are one value joined by commas (RFC 9110, section 5.3); the first alone is the common
  /// case.
  private func headerHolds(_ predicate: Predicate, _ head: borrowing RequestHead, _ context: MatchContext) -> Bool {
    let bytes = bytes
    let name = bytes.span.raw.extracting(Int(predicate.nameStart)..<Int(predicate.nameStart + predicate.nameCount))
    let index = head.headers.index(named: name)
    guard index >= 0 else {
      guard predicate.isInverted else { return false }
      if predicate.comparison == .present { return true }
      return !compare(predicate, head.headers.bytes.extracting(first: 0), context)
    }
    let second = head.headers.index(named: name, from: index + 1)
    let isEqual: Bool
    if second < 0 {
      isEqual = compare(predicate, head.bytes(head.headers.field(at: index).value), context)
    } else {
      let joined = joinedValues(head, name, from: index)
      isEqual = compare(predicate, joined.span.raw, context)
    }
    return isEqual != predicate.isInverted
  }

  private func joinedValues(_ head: borrowing RequestHead, _ name: RawSpan, from first: Int) -> [UInt8] {
    var joined: [UInt8] = []
    var index = first
    while index >= 0 {
      if !joined.isEmpty { joined.append(0x2C) }
      let value = head.bytes(head.headers.field(at: index).value)
      let octets = value.octets
      for offset in 0..<octets.count { joined.append(octets[offset]) }
      index = head.headers.index(named: name, from: index + 1)
    }
    return joined
  }

  /// The first parameter of that name decides, as in Envoy; no decoding.
  private func queryHolds(_ predicate: Predicate, _ head: borrowing RequestHead, _ context: MatchContext) -> Bool {
    let query = head.bytes(head.query)
    let octets = query.octets
    let bytes = bytes
    let name = bytes.span.raw.extracting(Int(predicate.nameStart)..<Int(predicate.nameStart + predicate.nameCount))
    var start = 0
    while start <= octets.count, !query.isEmpty {
      var end = start
      while end < octets.count, octets[end] != 0x26 { end += 1 }
      var equals = start
      while equals < end, octets[equals] != 0x3D { equals += 1 }
      if query.extracting(start..<equals).equals(name) {
        return compare(predicate, query.extracting(min(equals + 1, end)..<end), context)
      }
      start = end + 1
    }
    return false
  }
}
