/// What a regular expression may consist of: RE2's syntax as Go's `regexp` reads it, by which Istio refuses patterns.
/// Look-around, back-references, possessive quantifiers, atomic groups and conditions are Perl's and PCRE's alone.
package struct RegexSyntax {
  /// Why Go does not compile the pattern, in its words; nil: it does.
  package private(set) var problem: String?
  /// The groups that capture.
  package private(set) var groups = 0

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  /// Something stands before that a quantifier can repeat.
  private var hasOperand = false
  /// Where the quantifier directly before begins.
  private var quantifier: Int?

  /// The most that a quantifier can ask for.
  private static let maxRepeat = 1000
  private static let classNames: Set<String> = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
  ]

  package init(_ pattern: String) {
    bytes = Array(pattern.utf8)
    while problem == nil, index < bytes.count { readItem() }
    if problem == nil, depth > 0 { fail("missing closing )", pattern) }
  }

  private mutating func fail(_ reason: String, _ text: String) {
    if problem == nil { problem = "error parsing regexp: \(reason): `\(text)`" }
  }

  private func text(_ start: Int, _ end: Int) -> String {
    String(decoding: bytes[start..<min(end, bytes.count)], as: UTF8.self)
  }

  private func byte(_ offset: Int = 0) -> UInt8? {
    index + offset < bytes.count ? bytes[index + offset] : nil
  }

  private mutating func operand(_ length: Int) {
    index += length
    hasOperand = true
    quantifier = nil
  }

  private mutating func readItem() {
    switch bytes[index] {
    case UInt8(ascii: "\\"): readEscape()
    case UInt8(ascii: "["): readClass()
    case UInt8(ascii: "("): readGroup()
    case UInt8(ascii: ")"):
      guard depth > 0 else { return fail("unexpected )", text(0, bytes.count)) }
      depth -= 1
      operand(1)
    case UInt8(ascii: "|"):
      index += 1
      (hasOperand, quantifier) = (false, nil)
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): readQuantifier(1)
    case UInt8(ascii: "{"):
      guard let repetition = repetition() else { return operand(1) }
      guard repetition.isInRange else {
        return fail("invalid repeat count", text(index, index + repetition.length))
      }
      readQuantifier(repetition.length)
    default: operand(1)
    }
  }

  // MARK: Quantifiers

  /// `{2}`, `{2,}`, `{2,5}`; anything else in braces is plain text.
  private func repetition() -> (length: Int, isInRange: Bool)? {
    var end = index + 1
    let first = Self.number(bytes, &end)
    guard let first, end < bytes.count else { return nil }
    var last: Int? = first
    if bytes[end] == UInt8(ascii: ",") {
      end += 1
      last = Self.number(bytes, &end)
    }
    guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { return nil }
    let isInRange = first <= Self.maxRepeat && last.map { $0 <= Self.maxRepeat && $0 >= first } ?? true
    return (end + 1 - index, isInRange)
  }

  /// Decimal digits; what is too large stays too large.
  private static func number(_ bytes: [UInt8], _ index: inout Int) -> Int? {
    let start = index
    var value = 0
    while index < bytes.count, bytes[index] &- 0x30 < 10 {
      value = min(value * 10 + Int(bytes[index] &- 0x30), maxRepeat + 1)
      index += 1
    }
    return index == start ? nil : value
  }

  /// One that follows another is no double repetition, and no possessive one.
  private mutating func readQuantifier(_ length: Int) {
    let start = index
    index += length
    if byte() == UInt8(ascii: "?") { index += 1 }
    if let quantifier { return fail("invalid nested repetition operator", text(quantifier, index)) }
    guard hasOperand else { return fail("missing argument to repetition operator", text(start, index)) }
    quantifier = start
  }

  // MARK: Groups

  private mutating func readGroup() {
    depth += 1
    guard byte(1) == UInt8(ascii: "?") else {
      groups += 1
      index += 1
      (hasOperand, quantifier) = (false, nil)
      return
    }
    let isPython = byte(2) == UInt8(ascii: "P") && byte(3) == UInt8(ascii: "<")
    if isPython || byte(2) == UInt8(ascii: "<") { return readName(isPython ? 4 : 3) }
    readFlags()
  }

  /// `(?P<name>` and `(?<name>`; a look-behind begins like the latter.
  private mutating func readName(_ length: Int) {
    let start = index + length
    guard let end = bytes[min(start, bytes.count)...].firstIndex(of: UInt8(ascii: ">")) else {
      return fail("invalid named capture", text(index, bytes.count))
    }
    let isName = end > start && bytes[start..<end].allSatisfy { Self.isAlphanumeric($0) || $0 == 0x5F }
    guard isName else { return fail("invalid named capture", text(index, end + 1)) }
    groups += 1
    index = end + 1
    (hasOperand, quantifier) = (false, nil)
  }

  /// `(?i)`, `(?i-s:`, `(?:`: what else begins with a question mark is not RE2's.
  private mutating func readFlags() {
    let start = index
    index += 2
    var isNegated = false
    var isEmpty = true
    while let flag = byte() {
      index += 1
      switch flag {
      case UInt8(ascii: "i"), UInt8(ascii: "m"), UInt8(ascii: "s"), UInt8(ascii: "U"): isEmpty = false
      case UInt8(ascii: "-") where !isNegated:
        isNegated = true
        isEmpty = true
      case UInt8(ascii: ":") where !isNegated || !isEmpty:
        (hasOperand, quantifier) = (false, nil)
        return
      case UInt8(ascii: ")") where !isNegated || !isEmpty:
        depth -= 1
        return
      default: return fail("invalid or unsupported Perl syntax", text(start, index))
      }
    }
    fail("missing closing )", text(0, bytes.count))
  }

  // MARK: Escapes

  private mutating func readEscape() {
    switch byte(1) {
    case nil: fail("trailing backslash at end of expression", "")
    case UInt8(ascii: "Q"):
      let start = index + 2
      index = bytes.count
      for end in start..<max(start, bytes.count - 1)
      where bytes[end] == UInt8(ascii: "\\") && bytes[end + 1] == UInt8(ascii: "E") {
        index = end + 2
        break
      }
      operand(0)
    case UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "z"): operand(2)
    default:
      guard let length = setLength() ?? characterLength() else { return }
      operand(length)
    }
  }

  /// `\d` and its like, `\pL`, `\p{Greek}`: escapes that stand for several characters.
  private mutating func setLength() -> Int? {
    guard let next = byte(1) else { return nil }
    if "dDsSwW".utf8.contains(next) { return 2 }
    guard next == UInt8(ascii: "p") || next == UInt8(ascii: "P"), let first = byte(2) else { return nil }
    guard first == UInt8(ascii: "{") else { return 3 }
    guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else {
      fail("invalid character class range", text(index, bytes.count))
      return nil
    }
    let isName = bytes[(index + 3)..<end].allSatisfy { Self.isAlphanumeric($0) || $0 == 0x5F || $0 == 0x5E }
    if !isName || end == index + 3 { fail("invalid character class range", text(index, end + 1)) }
    return end + 1 - index
  }

  /// An escape that stands for one character; nil, and said, when it is none.
  private mutating func characterLength() -> Int? {
    let next = byte(1) ?? 0
    let isOctal = { (byte: UInt8?) in byte.map { $0 &- 0x30 < 8 } ?? false }
    switch next {
    case UInt8(ascii: "a"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"),
      UInt8(ascii: "v"):
      return 2
    case UInt8(ascii: "x"): return hexadecimalLength()
    // A single digit that is not zero would be a back-reference.
    case _ where next == UInt8(ascii: "0") || (isOctal(next) && isOctal(byte(2))):
      return !isOctal(byte(2)) ? 2 : !isOctal(byte(3)) ? 3 : 4
    case _ where next < 0x80 && !Self.isAlphanumeric(next): return 2
    default:
      fail("invalid escape sequence", text(index, index + 2))
      return nil
    }
  }

  private mutating func hexadecimalLength() -> Int? {
    let isHexadecimal = { (byte: UInt8) in byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 }
    if byte(2) == UInt8(ascii: "{"), let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) {
      let digits = bytes[(index + 3)..<end]
      if !digits.isEmpty, digits.allSatisfy(isHexadecimal) { return end + 1 - index }
    } else if let first = byte(2), let second = byte(3), isHexadecimal(first), isHexadecimal(second) {
      return 4
    }
    fail("invalid escape sequence", text(index, index + 3))
    return nil
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
  }

  // MARK: Classes

  private mutating func readClass() {
    let start = index
    index += byte(1) == UInt8(ascii: "^") ? 2 : 1
    var isFirst = true
    while problem == nil {
      guard let next = byte() else { return fail("missing closing ]", text(start, bytes.count)) }
      if next == UInt8(ascii: "]"), !isFirst { return operand(1) }
      isFirst = false
      if next == UInt8(ascii: "["), byte(1) == UInt8(ascii: ":"), let length = namedLength() {
        index += length
      } else if next == UInt8(ascii: "\\"), let length = setLength() {
        index += length
      } else {
        readRange()
      }
    }
  }

  /// `[:alpha:]`; nil: it is no name.
  private mutating func namedLength() -> Int? {
    guard let colon = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count,
      bytes[colon + 1] == UInt8(ascii: "]")
    else { return nil }
    let name = text(index + 2, colon)
    if !Self.classNames.contains(name.hasPrefix("^") ? String(name.dropFirst()) : name) {
      fail("invalid character class range", text(index, colon + 2))
    }
    return colon + 2 - index
  }

  /// A character, or two with a hyphen between them.
  private mutating func readRange() {
    readCharacter()
    guard problem == nil, byte() == UInt8(ascii: "-"), let next = byte(1), next != UInt8(ascii: "]") else { return }
    index += 1
    readCharacter()
  }

  private mutating func readCharacter() {
    guard byte() == UInt8(ascii: "\\") else {
      index += 1
      return
    }
    guard byte(1) != nil else { return fail("trailing backslash at end of expression", "") }
    if let length = characterLength() { index += length }
  }
}
