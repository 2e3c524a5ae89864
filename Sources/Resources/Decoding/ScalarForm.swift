/// What plain YAML scalars look like (YAML 1.2 core schema), and proto3's durations.
enum ScalarForm {
  static func isNull(_ text: String) -> Bool {
    text.isEmpty || text == "null" || text == "~" || text == "Null" || text == "NULL"
  }

  static func isNumberOrBoolean(_ text: String) -> Bool {
    switch text {
    case "true", "false", "True", "False", "TRUE", "FALSE": return true
    default: return isDecimal(text) && Double(text) != nil
    }
  }

  /// Whether all characters are those of decimal numbers: most texts end at their first.
  private static func isDecimal(_ text: String) -> Bool {
    text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        true
      default: false
      }
    }
  }

  /// A decimal integer; a fraction of zero is tolerated as in JSON (`5.0`).
  static func integer(_ text: String) -> Int? {
    if let number = Int(text) { return number }
    guard isDecimal(text), let number = Double(text), number == number.rounded(), abs(number) < 1e15 else {
      return nil
    }
    return Int(number)
  }

  /// YAML 1.2's booleans; `yes` and `on` are strings.
  static func boolean(_ text: String) -> Bool? {
    switch text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: return nil
    }
  }

  /// What a duration's text says.
  enum Duration: Equatable {
    case milliseconds(Int)
    /// A duration, with a fraction of a millisecond.
    case tooPrecise
    case invalid
  }

  /// Go's durations without a sign: `300ms`, `1.5h`, `2h45m`.
  static func duration(_ text: String) -> Duration {
    if text == "0" { return .milliseconds(0) }
    var rest = Substring(text)
    var total = 0.0
    guard !rest.isEmpty else { return .invalid }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard !number.isEmpty, let value = Double(number) else { return .invalid }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let factor = factor(of: unit) else { return .invalid }
      total += value * factor
    }
    guard total < 1e15 else { return .invalid }
    guard (total * 1000).rounded() == total.rounded() * 1000 else { return .tooPrecise }
    return .milliseconds(Int(total.rounded()))
  }

  private static func factor(of unit: Substring) -> Double? {
    switch unit {
    case "h": return 3_600_000
    case "m": return 60_000
    case "s": return 1000
    case "ms": return 1
    case "us", "µs": return 0.001
    case "ns": return 0.000_001
    default: return nil
    }
  }
}
