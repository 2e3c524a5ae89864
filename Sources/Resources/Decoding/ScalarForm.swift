/// What plain YAML scalars look like (YAML 1.2 core schema), and proto3's durations.
enum ScalarForm {
  static func isNull(_ text: String) -> Bool {
    text.isEmpty || text == "null" || text == "~" || text == "Null" || text == "NULL"
  }

  static func isNumberOrBoolean(_ text: String) -> Bool {
    switch text {
    case "true", "false", "True", "False", "TRUE", "FALSE": return true
    default: return integer(text) != nil || (text.contains { $0.isNumber } && looksLikeNumber(text))
    }
  }

  private static func looksLikeNumber(_ text: String) -> Bool {
    text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || "+-.eE".utf8.contains($0) } && Double(text) != nil
  }

  /// A decimal integer; a fraction of zero is tolerated as in JSON (`5.0`).
  static func integer(_ text: String) -> Int? {
    if let number = Int(text) { return number }
    guard let number = Double(text), number == number.rounded(), abs(number) < 1e15, !text.contains("x") else {
      return nil
    }
    return text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || "+-.eE".utf8.contains($0) }) ? Int(number) : nil
  }

  /// Go's durations in milliseconds: `300ms`, `1.5h`, `2h45m`; nil for anything else or for less than a millisecond's
  /// precision.
  static func milliseconds(_ text: String) -> Int? {
    if text == "0" { return 0 }
    var rest = Substring(text)
    var total = 0.0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard !number.isEmpty, let value = Double(number) else { return nil }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let factor = factor(of: unit) else { return nil }
      total += value * factor
    }
    guard total < 1e15, (total * 1000).rounded() == total.rounded() * 1000 else { return nil }
    return Int(total.rounded())
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
