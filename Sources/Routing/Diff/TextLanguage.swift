/// A set of texts: all that a condition holds for. Sets are compared by Brzozowski's derivatives ("Derivatives of
/// regular expressions", 1964): what may follow after a character is again such a set, and there are few of them.
indirect enum TextLanguage: Hashable, Sendable {
  /// No text.
  case nothing
  /// The text without characters.
  case empty
  /// Any character of the set.
  case symbol(SymbolSet)
  case sequence(TextLanguage, TextLanguage)
  case choice(Set<TextLanguage>)
  /// Any number of times, also none.
  case repeated(TextLanguage)

  /// Every text.
  static let anything = TextLanguage.repeated(.symbol(.all))

  /// One text; nil when it has characters that are not told apart.
  static func literal(_ text: String, ignoresCase: Bool = false) -> TextLanguage? {
    var result = TextLanguage.empty
    for byte in text.utf8.reversed() {
      guard SymbolSet.all.contains(byte), byte != SymbolSet.foreign else { return nil }
      let set = SymbolSet([byte])
      result = .symbol(ignoresCase ? set.ignoringCase : set).followed(by: result)
    }
    return result
  }

  // MARK: Simplified, so that equal sets mostly look equal

  func followed(by next: TextLanguage) -> TextLanguage {
    switch (self, next) {
    case (.nothing, _), (_, .nothing): return .nothing
    case (.empty, _): return next
    case (_, .empty): return self
    case (.sequence(let first, let rest), _): return .sequence(first, rest.followed(by: next))
    default: return .sequence(self, next)
    }
  }

  func or(_ other: TextLanguage) -> TextLanguage { Self.oneOf([self, other]) }

  static func oneOf(_ all: [TextLanguage]) -> TextLanguage {
    var members: Set<TextLanguage> = []
    var symbols = SymbolSet([])
    func add(_ language: TextLanguage) {
      switch language {
      case .nothing: break
      case .symbol(let set): symbols = symbols.union(set)
      case .choice(let others): others.forEach(add)
      default: members.insert(language)
      }
    }
    all.forEach(add)
    if members.contains(.anything) { return .anything }
    if !symbols.isEmpty { members.insert(.symbol(symbols)) }
    return members.count > 1 ? .choice(members) : members.first ?? .nothing
  }

  /// From `low` to `high` times; nil: any number above `low`.
  func times(_ low: Int, _ high: Int?) -> TextLanguage {
    var result = TextLanguage.empty
    if let high {
      for _ in low..<max(low, high) { result = TextLanguage.empty.or(followed(by: result)) }
    } else {
      result = .repeated(self)
    }
    for _ in 0..<low { result = followed(by: result) }
    return result
  }

  // MARK: Derivatives

  /// Whether the text without characters is one of them.
  var hasEmptyText: Bool {
    switch self {
    case .nothing, .symbol: false
    case .empty, .repeated: true
    case .sequence(let first, let rest): first.hasEmptyText && rest.hasEmptyText
    case .choice(let members): members.contains { $0.hasEmptyText }
    }
  }

  /// What may follow behind `symbol`.
  func after(_ symbol: UInt8) -> TextLanguage {
    switch self {
    case .nothing, .empty: return .nothing
    case .symbol(let set): return set.contains(symbol) ? .empty : .nothing
    case .sequence(let first, let rest):
      let next = first.after(symbol).followed(by: rest)
      return first.hasEmptyText ? next.or(rest.after(symbol)) : next
    case .choice(let members): return Self.oneOf(members.map { $0.after(symbol) })
    case .repeated(let inner): return inner.after(symbol).followed(by: self)
    }
  }

  /// What all texts begin with, as far as it is plain to see. Two sets have no text in common where neither begins with
  /// the beginning of the other, which is much cheaper to know than by a search.
  var start: [UInt8] {
    var bytes: [UInt8] = []
    var rest = self
    while case .sequence(.symbol(let set), let next) = rest, let symbol = set.only {
      bytes.append(symbol)
      rest = next
    }
    if case .symbol(let set) = rest, let symbol = set.only { bytes.append(symbol) }
    return bytes
  }

  /// Whether texts with these beginnings are surely different.
  static func areDisjoint(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    !left.starts(with: right) && !right.starts(with: left)
  }

  /// The sets that characters are compared with.
  func addSets(to sets: inout Set<SymbolSet>) {
    switch self {
    case .nothing, .empty: break
    case .symbol(let set): sets.insert(set)
    case .sequence(let first, let rest):
      first.addSets(to: &sets)
      rest.addSets(to: &sets)
    case .choice(let members): for member in members { member.addSets(to: &sets) }
    case .repeated(let inner): inner.addSets(to: &sets)
    }
  }
}
