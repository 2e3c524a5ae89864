import Resources

/// Finds, for a match entry, an earlier one that takes all its requests. Entries are found by their path, so that the
/// cost grows with the length of paths and not with the number of rules.
struct RuleCoverage {
  /// A match entry in the form in which entries can be compared.
  struct Entry {
    /// How the path is compared.
    enum Path: Equatable {
      case any
      case exact(String)
      case prefix(String)
      /// With the text that all it matches begins with.
      case regex(String, after: String)
    }

    let path: Path
    let ignoresCase: Bool
    /// The path is written as a regular expression, whatever it comes to.
    let isPattern: Bool
    /// For CONNECT alone, which no other entry takes.
    let isForConnect: Bool
    /// Each condition besides the path, as a text; all must hold.
    let conditions: Set<String>
    /// The Gateways that it is for, by reference.
    let gateways: Set<String>
    /// `http[2].match[0]`, or `http[2]` where there is no match.
    let text: String
    let location: SourceLocation
    /// Where the path stands that is matched; the entry's own place where there is none.
    let pathLocation: SourceLocation

    /// Matches every request of its gateways.
    var isCatchAll: Bool {
      guard conditions.isEmpty else { return false }
      return path == .any || path == .prefix("/")
    }
  }

  private var entries: [Entry] = []
  private var any: [Int] = []
  private var exact: [String: [Int]] = [:]
  private var prefix: [String: [Int]] = [:]
  private var regex: [String: [Int]] = [:]

  /// Adds an entry that later ones are compared with.
  mutating func insert(_ entry: Entry) {
    let index = entries.count
    entries.append(entry)
    let fold = { (text: String) in entry.ignoresCase ? "i" + text.lowercased() : "c" + text }
    switch entry.path {
    case .any: any.append(index)
    case .exact(let text): exact[fold(text), default: []].append(index)
    case .prefix(let text): prefix[fold(text), default: []].append(index)
    case .regex(let text, _): regex[text, default: []].append(index)
    }
  }

  /// The first entry that takes all requests of `entry`.
  func cover(of entry: Entry) -> Entry? {
    let found = candidates(entry).filter { index in
      let earlier = entries[index]
      return entry.gateways.isSubset(of: earlier.gateways) && (!entry.isForConnect || earlier.isForConnect)
        && earlier.conditions.allSatisfy { Self.holds($0, under: entry.conditions) }
    }
    return found.min().map { entries[$0] }
  }

  private func candidates(_ entry: Entry) -> [Int] {
    var result = any
    let isSame = { (index: Int) in !entry.ignoresCase || entries[index].ignoresCase }
    switch entry.path {
    case .any: break
    case .exact(let text):
      for key in Self.keys(text, entry.ignoresCase) {
        result += (exact[key] ?? []).filter(isSame)
        result += prefixes(of: key).filter(isSame)
      }
    case .prefix(let text):
      for key in Self.keys(text, entry.ignoresCase) { result += prefixes(of: key).filter(isSame) }
    case .regex(let text, let start):
      result += regex[text] ?? []
      // Whatever else it matches, it begins with a slash.
      if text.hasPrefix("/"), start.isEmpty { result += (prefix["c/"] ?? []) + (prefix["i/"] ?? []) }
      if !start.isEmpty { for key in Self.keys(start, false) { result += prefixes(of: key) } }
    }
    return result
  }

  /// The keys under which covering entries may be found: with and without regard to case.
  private static func keys(_ text: String, _ ignoresCase: Bool) -> [String] {
    ignoresCase ? ["i" + text.lowercased()] : ["c" + text, "i" + text.lowercased()]
  }

  private func prefixes(of key: String) -> [Int] {
    guard !prefix.isEmpty else { return [] }
    var result: [Int] = []
    var start = ""
    for character in key {
      start.append(character)
      if let found = prefix[start] { result += found }
    }
    return result
  }

  /// Whether a condition holds for every request that meets `others`.
  private static func holds(_ condition: String, under others: Set<String>) -> Bool {
    if others.contains(condition) { return true }
    // "h:NAME?" stands for a field that is there: any other condition on it implies that.
    guard condition.hasSuffix("?") else { return false }
    let subject = condition.dropLast()
    return others.contains { $0.hasPrefix(subject) && $0.count > condition.count }
  }
}

extension RuleCoverage.Entry {
  /// - Parameter match: nil for a rule without `match`.
  init(_ match: HTTPMatch?, of service: Resource<VirtualService>, rule: Int, index: Int, at location: SourceLocation) {
    var conditions: Set<String> = []
    if let match {
      for (name, condition) in [("scheme", match.scheme), ("method", match.method), ("authority", match.authority)] {
        // Every request has all three.
        if let condition, !Self.takesAll(condition) { conditions.insert("\(name):" + Self.text(condition)) }
      }
      for (name, condition) in match.headers {
        conditions.insert("h:\(name.value.lowercased())" + Self.text(condition))
      }
      for (name, condition) in match.withoutHeaders {
        conditions.insert("!h:\(name.value.lowercased())" + Self.text(condition))
      }
      for (name, condition) in match.queryParams { conditions.insert("q:\(name.value)" + Self.text(condition)) }
      if let port = match.port { conditions.insert("port=\(port.value)") }
      if let namespace = match.sourceNamespace { conditions.insert("namespace=\(namespace.value)") }
      for (key, value) in match.sourceLabels { conditions.insert("label \(key)=\(value.value)") }
    }
    var isPattern = false
    if case .regex? = match?.uri?.kind { isPattern = true }
    self.init(
      path: Self.path(match?.uri), ignoresCase: !isPattern && match?.ignoreUriCase ?? false, isPattern: isPattern,
      isForConnect: match?.namesConnect ?? false, conditions: conditions,
      gateways: AnalysisContext.gateways(of: match, in: service),
      text: match == nil ? "http[\(rule)]" : "http[\(rule)].match[\(index)]", location: location,
      pathLocation: Self.place(match?.uri) ?? location)
  }

  private static func place(_ match: StringMatch?) -> SourceLocation? {
    switch match?.kind {
    case nil, .present: return nil
    case .exact(let text), .prefix(let text), .regex(let text): return text.location
    }
  }

  private static func path(_ match: StringMatch?) -> Path {
    switch match?.kind {
    case nil, .present: return .any
    case .exact(let text): return .exact(text.value)
    case .prefix(let text): return .prefix(text.value)
    case .regex(let text): return path(RegexShape(text.value), text.value)
    }
  }

  /// What is no more than a prefix or a text is compared as such.
  private static func path(_ shape: RegexShape, _ text: String) -> Path {
    switch shape.rest {
    case .nothing: return .exact(shape.start)
    // All paths begin with a slash.
    case .anything: return shape.start.isEmpty || shape.start == "/" ? .any : .prefix(shape.start)
    case .pattern: return .regex(text, after: shape.start)
    }
  }

  private static func takesAll(_ match: StringMatch) -> Bool {
    switch match.kind {
    case .present: return true
    case .regex(let text):
      let shape = RegexShape(text.value)
      return shape.start.isEmpty && shape.rest == .anything
    case .exact, .prefix: return false
    }
  }

  private static func text(_ match: StringMatch) -> String {
    switch match.kind {
    case .present: return "?"
    case .exact(let text): return "=\(text.value)"
    case .prefix(let text): return "^\(text.value)"
    case .regex(let text): return "~\(text.value)"
    }
  }
}
