/// Reads a regular expression as the set of the texts that it matches. What cannot be said as such a set (look-around,
/// back-references, boundaries of words, possessive repetition) is not understood.
struct RegexReader {
  /// An expression whose anchors have not been looked at yet.
  private indirect enum Tree {
    case language(TextLanguage)
    case start, end
    case sequence([Tree])
    case choice([Tree])
    case repeated(Tree, Int, Int?)
  }

  private struct NotUnderstood: Error {}

  private var rest: ArraySlice<UInt8>
  private var ignoresCase = false
  private var depth = 0

  /// Bounds that are written out one by one.
  private static let maxCount = 100
  private static let maxLength = 400
  private static let maxDepth = 32

  /// The texts that `pattern` matches as a whole; nil when it is not understood.
  static func language(_ pattern: String) -> TextLanguage? {
    guard let tree = tree(pattern) else { return nil }
    return try? resolve(tree, isFirst: true, isLast: true)
  }

  /// The texts in which `pattern` matches somewhere.
  static func searching(_ pattern: String) -> TextLanguage? {
    guard let tree = tree(pattern) else { return nil }
    let branches = if case .choice(let all) = tree { all } else { [tree] }
    let languages = try? branches.map { branch in
      var items = if case .sequence(let all) = branch { all } else { [branch] }
      var (before, after) = (TextLanguage.anything, TextLanguage.anything)
      if case .start? = items.first {
        before = .empty
        items.removeFirst()
      }
      if case .end? = items.last {
        after = .empty
        items.removeLast()
      }
      let middle = try resolve(.sequence(items), isFirst: false, isLast: false)
      return before.followed(by: middle).followed(by: after)
    }
    return languages.map(TextLanguage.oneOf)
  }

  private static func tree(_ pattern: String) -> Tree? {
    guard pattern.utf8.count <= maxLength else { return nil }
    var reader = RegexReader(rest: Array(pattern.utf8)[...])
    guard let tree = try? reader.alternatives(), reader.rest.isEmpty else { return nil }
    return tree
  }

  private init(rest: ArraySlice<UInt8>) {
    self.rest = rest
  }

  /// Anchors say nothing where a text begins or ends anyway; elsewhere they are not understood.
  private static func resolve(_ tree: Tree, isFirst: Bool, isLast: Bool) throws -> TextLanguage {
    switch tree {
    case .language(let language): return language
    case .start where isFirst, .end where isLast: return .empty
    case .start, .end: throw NotUnderstood()
    case .choice(let branches):
      return .oneOf(try branches.map { try resolve($0, isFirst: isFirst, isLast: isLast) })
    case .sequence(let items):
      var result = TextLanguage.empty
      for (index, item) in items.enumerated().reversed() {
        let language = try resolve(
          item, isFirst: isFirst && items[..<index].allSatisfy { if case .start = $0 { true } else { false } },
          isLast: isLast && items[(index + 1)...].allSatisfy { if case .end = $0 { true } else { false } })
        result = language.followed(by: result)
      }
      return result
    case .repeated(let inner, let low, let high):
      return try resolve(inner, isFirst: false, isLast: false).times(low, high)
    }
  }

  // MARK: Syntax

  private mutating func alternatives() throws -> Tree {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.maxDepth else { throw NotUnderstood() }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws -> Tree {
    var items: [Tree] = []
    while let next = rest.first, next != UInt8(ascii: "|"), next != UInt8(ascii: ")") { items.append(try piece()) }
    return .sequence(items)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// An atom with its repetition.
  private mutating func piece() throws -> Tree {
    let atom = try atom()
    var bounds: (low: Int, high: Int?)
    if take("*") {
      bounds = (0, nil)
    } else if take("+") {
      bounds = (1, nil)
    } else if take("?") {
      bounds = (0, 1)
    } else if take("{") {
      bounds = try counts()
    } else {
      return atom
    }
    // A lazy repetition matches the same texts, a possessive one does not.
    if !take("?"), let next = rest.first, "*+?{".utf8.contains(next) { throw NotUnderstood() }
    return .repeated(atom, bounds.low, bounds.high)
  }

  /// `2}`, `2,}`, `2,5}`.
  private mutating func counts() throws -> (low: Int, high: Int?) {
    guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw NotUnderstood() }
    let parts = String(decoding: rest[..<end], as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
    rest = rest[(end + 1)...]
    guard (1...2).contains(parts.count), let low = Int(parts[0]), (0...Self.maxCount).contains(low) else {
      throw NotUnderstood()
    }
    if parts.count == 2, parts[1].isEmpty { return (low, nil) }
    guard let high = Int(parts[parts.count - 1]), (low...Self.maxCount).contains(high) else { throw NotUnderstood() }
    return (low, high)
  }

  private func one(of set: SymbolSet) -> Tree { .language(.symbol(ignoresCase ? set.ignoringCase : set)) }

  private mutating func atom() throws -> Tree {
    guard let character = rest.popFirst() else { throw NotUnderstood() }
    switch UnicodeScalar(character) {
    case ".": return one(of: .all)
    case "^": return .start
    case "$": return .end
    case "(": return try group()
    case "[": return one(of: try RegexClass.read(&rest, ignoresCase))
    case "\\": return try escape()
    case "*", "+", "?", "{": throw NotUnderstood()
    default:
      guard character < 0x7F else { throw NotUnderstood() }
      return one(of: SymbolSet([character]))
    }
  }

  private mutating func group() throws -> Tree {
    let outer = ignoresCase
    if take("?") {
      if take("P") || rest.first == UInt8(ascii: "<") {
        // (?<name>…), (?P<name>…); look-behind begins alike.
        guard take("<"), let next = rest.first, (next | 0x20) &- 0x61 < 26 || next == UInt8(ascii: "_"),
          let end = rest.firstIndex(of: UInt8(ascii: ">"))
        else { throw NotUnderstood() }
        rest = rest[(end + 1)...]
      } else if try flags() {
        // (?i) holds to the end of the group that it stands in.
        return .sequence([])
      }
    }
    let tree = try alternatives()
    guard take(")") else { throw NotUnderstood() }
    ignoresCase = outer
    return tree
  }

  /// `i:`, `i)`, `-i:`; true when the group has nothing but flags.
  private mutating func flags() throws -> Bool {
    var isOn = true
    while let flag = rest.popFirst() {
      switch UnicodeScalar(flag) {
      case ":": return false
      case ")": return true
      case "-": isOn = false
      case "i": ignoresCase = isOn
      // Texts have no lines.
      case "s", "m", "U": break
      default: throw NotUnderstood()
      }
    }
    throw NotUnderstood()
  }

  private mutating func escape() throws -> Tree {
    guard let character = rest.popFirst() else { throw NotUnderstood() }
    switch UnicodeScalar(character) {
    case "A": return .start
    case "z", "Z": return .end
    default:
      guard let set = RegexClass.escaped(character) else { throw NotUnderstood() }
      return one(of: set)
    }
  }
}

/// Classes of characters: `[…]`, `\d`.
enum RegexClass {
  private struct NotUnderstood: Error {}

  private static let digits = SymbolSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
  private static let lower = SymbolSet(UInt8(ascii: "a")...UInt8(ascii: "z"))
  private static let upper = SymbolSet(UInt8(ascii: "A")...UInt8(ascii: "Z"))
  private static let words = digits.union(lower).union(upper).union(SymbolSet([UInt8(ascii: "_")]))
  private static let spaces = SymbolSet([0x20, 0x09])

  /// The characters of `\d` and its like, or the one that is escaped; nil for what is something else.
  static func escaped(_ character: UInt8) -> SymbolSet? {
    switch UnicodeScalar(character) {
    case "d": return digits
    case "D": return SymbolSet.all.subtracting(digits)
    case "w": return words
    case "W": return SymbolSet.all.subtracting(words)
    case "s": return spaces
    case "S": return SymbolSet.all.subtracting(spaces)
    case "t": return SymbolSet([0x09])
    default: return words.contains(character) || character >= 0x7F ? nil : SymbolSet([character])
    }
  }

  /// A class, behind its bracket.
  static func read(_ rest: inout ArraySlice<UInt8>, _ ignoresCase: Bool) throws -> SymbolSet {
    let isNegated = rest.first == UInt8(ascii: "^")
    if isNegated { rest.removeFirst() }
    var set = SymbolSet([])
    var isFirst = true
    while let character = rest.popFirst() {
      if character == UInt8(ascii: "]"), !isFirst {
        if ignoresCase { set = set.ignoringCase }
        return isNegated ? SymbolSet.all.subtracting(set) : set
      }
      isFirst = false
      set = set.union(try member(character, &rest))
    }
    throw NotUnderstood()
  }

  /// A character, a range, `\d` or `[:alpha:]`.
  private static func member(_ character: UInt8, _ rest: inout ArraySlice<UInt8>) throws -> SymbolSet {
    if character == UInt8(ascii: "["), rest.first == UInt8(ascii: ":") { return try named(&rest) }
    guard let first = try single(character, &rest) else { return try escape(&rest) }
    guard rest.first == UInt8(ascii: "-"), let next = rest.dropFirst().first, next != UInt8(ascii: "]") else {
      return SymbolSet([first])
    }
    rest.removeFirst(2)
    guard let last = try single(next, &rest), first <= last else { throw NotUnderstood() }
    return SymbolSet(first...last)
  }

  /// The character that stands for itself; nil in front of a class like `\d`.
  private static func single(_ character: UInt8, _ rest: inout ArraySlice<UInt8>) throws -> UInt8? {
    guard character < 0x7F else { throw NotUnderstood() }
    guard character == UInt8(ascii: "\\") else { return character }
    guard let escaped = rest.first else { throw NotUnderstood() }
    if words.contains(escaped) { return nil }
    rest.removeFirst()
    return escaped
  }

  private static func escape(_ rest: inout ArraySlice<UInt8>) throws -> SymbolSet {
    guard let escaped = rest.popFirst(), let set = Self.escaped(escaped) else { throw NotUnderstood() }
    return set
  }

  private static func named(_ rest: inout ArraySlice<UInt8>) throws -> SymbolSet {
    guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { throw NotUnderstood() }
    let name = String(decoding: rest[..<end], as: UTF8.self)
    rest = rest[(end + 1)...]
    switch name {
    case ":alpha:": return lower.union(upper)
    case ":digit:": return digits
    case ":alnum:": return digits.union(lower).union(upper)
    case ":lower:": return lower
    case ":upper:": return upper
    case ":word:": return words
    case ":space:", ":blank:": return spaces
    default: throw NotUnderstood()
    }
  }
}
