/// Makes up a text that a regular expression matches, for most expressions that people write: literals, classes,
/// groups, alternatives, repetitions. What it makes up is checked by the caller; an expression that it does not
/// understand gives nothing.
struct RegexExample {
  /// Which of the possible texts: the shortest with the first alternatives, or one that repeats and takes the last.
  enum Taste: CaseIterable {
    case shortest, longer
  }

  private var rest: ArraySlice<Character>
  private let taste: Taste
  private var depth = 0

  /// A text that `pattern` may match; nil when the pattern is not understood.
  static func text(for pattern: String, _ taste: Taste) -> String? {
    var maker = RegexExample(rest: Array(pattern)[...], taste: taste)
    guard let text = maker.alternatives(), maker.rest.isEmpty else { return nil }
    return text
  }

  private init(rest: ArraySlice<Character>, taste: Taste) {
    self.rest = rest
    self.taste = taste
  }

  private mutating func alternatives() -> String? {
    depth += 1
    defer { depth -= 1 }
    guard depth < 64, var chosen = sequence() else { return nil }
    while rest.first == "|" {
      rest.removeFirst()
      guard let other = sequence() else { return nil }
      if taste == .longer { chosen = other }
    }
    return chosen
  }

  private mutating func sequence() -> String? {
    var text = ""
    while let next = rest.first, next != "|", next != ")" {
      guard let piece = piece() else { return nil }
      text += piece
    }
    return text
  }

  /// An atom with its repetition.
  private mutating func piece() -> String? {
    guard let atom = atom() else { return nil }
    var count = 1
    switch rest.first {
    case "*": count = taste == .shortest ? 0 : 2
    case "+": count = taste == .shortest ? 1 : 2
    case "?": count = taste == .shortest ? 0 : 1
    case "{": return bounded(atom)
    default: return atom
    }
    rest.removeFirst()
    skipGreed()
    return String(repeating: atom, count: count)
  }

  /// `{2}`, `{2,}`, `{2,5}`; anything else in braces is a literal brace.
  private mutating func bounded(_ atom: String) -> String? {
    guard let end = rest.firstIndex(of: "}") else { return nil }
    let parts = String(rest[rest.startIndex + 1..<end]).split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= 2, let low = Int(parts[0]), low <= 64 else { return nil }
    let high = parts.count == 2 ? Int(parts[1]) ?? low + 1 : low
    rest = rest[(end + 1)...]
    skipGreed()
    return String(repeating: atom, count: taste == .shortest ? low : min(max(low, high), 64))
  }

  private mutating func skipGreed() {
    if rest.first == "?" || rest.first == "+" { rest.removeFirst() }
  }

  private mutating func atom() -> String? {
    guard let character = rest.popFirst() else { return nil }
    switch character {
    case ".": return "a"
    case "^", "$": return ""
    case "(": return group()
    case "[": return characterClass()
    case "\\": return escape()
    case "*", "+", "?", "{": return nil
    default: return String(character)
    }
  }

  private mutating func group() -> String? {
    if rest.first == "?" {
      rest.removeFirst()
      // (?:…), (?i:…), (?<name>…), (?P<name>…); look-around says nothing about the text itself.
      guard let kind = rest.first, !"=!#>|(R".contains(kind) else { return nil }
      if kind == "<", let next = rest.dropFirst().first, next == "=" || next == "!" { return nil }
      guard let end = rest.firstIndex(where: { $0 == ":" || $0 == ">" || $0 == ")" }) else { return nil }
      let ending = rest[end]
      rest = rest[(end + 1)...]
      if ending == ")" { return "" }
    }
    guard let text = alternatives(), rest.popFirst() == ")" else { return nil }
    return text
  }

  private mutating func escape() -> String? {
    guard let character = rest.popFirst() else { return nil }
    switch character {
    case "d": return "0"
    case "w", "D", "S": return "a"
    case "W", "s": return character == "s" ? " " : "-"
    case "b", "A", "z", "Z", "G", "B": return ""
    case "n", "r", "t", "f", "v", "0", "Q", "E", "p", "P", "x", "u", "K", "R", "X", "h", "H", "N": return nil
    case _ where character.isNumber: return nil
    default: return String(character)
    }
  }

  // MARK: Classes

  private static let candidates = Array("a0A-_./zZ9bc1~!=,:; xX")

  /// Some character of `[…]`.
  private mutating func characterClass() -> String? {
    let isNegated = rest.first == "^"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Character>] = []
    var isFirst = true
    while let character = rest.popFirst(), character != "]" || isFirst {
      isFirst = false
      if character == "[", rest.first == ":" { return nil }
      guard let members = member(character) else { return nil }
      if members.count == 1, rest.first == "-", let end = rest.dropFirst().first, end != "]", end != "\\" {
        rest.removeFirst(2)
        guard members[0].lowerBound <= end else { return nil }
        ranges.append(members[0].lowerBound...end)
      } else {
        ranges += members
      }
    }
    if isNegated {
      return Self.candidates.first { one in !ranges.contains { $0.contains(one) } }.map { String($0) }
    }
    return ranges.first.map { String(taste == .shortest ? $0.lowerBound : $0.upperBound) }
  }

  private mutating func member(_ character: Character) -> [ClosedRange<Character>]? {
    guard character == "\\" else { return [character...character] }
    guard let escaped = rest.popFirst() else { return nil }
    switch escaped {
    case "d": return ["0"..."9"]
    case "w": return ["a"..."z", "A"..."Z", "0"..."9", "_"..."_"]
    case "s": return [" "..." "]
    case _ where escaped.isLetter || escaped.isNumber: return nil
    default: return [escaped...escaped]
    }
  }
}
