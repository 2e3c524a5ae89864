/// How scalars are written.
enum ScalarText {
  /// One line for a scalar, as plain as it can be.
  static func inline(_ scalar: Node.Scalar) -> String {
    if scalar.style == .plain { return scalar.string }
    let text = scalar.string
    if canBePlain(text) { return text }
    if text.contains("\\") || text.contains("\""), !text.contains("'"), text.unicodeScalars.allSatisfy(isPrintable) {
      return "'\(text)'"
    }
    return doubleQuoted(text)
  }

  /// The lines of a block scalar with its header (`|`, `|-`, `|+`), nil when the text must be quoted.
  static func block(_ scalar: Node.Scalar) -> (header: String, lines: [Substring])? {
    let text = scalar.string
    guard scalar.style != .plain, text.contains("\n"), text != "\n", !text.hasPrefix("\n"), !text.hasPrefix(" "),
      text.unicodeScalars.allSatisfy({ $0 == "\n" || isPrintable($0) })
    else { return nil }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.contains(where: { $0.hasSuffix(" ") || $0.hasPrefix("\t") }) { return nil }
    guard lines.last == "" else { return ("|-", lines) }
    lines.removeLast()
    return lines.last == "" ? ("|+", lines) : ("|", lines)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value >= 0x20 && scalar.value != 0x7F && !(0x80...0x9F).contains(scalar.value) && scalar.value != 0xFEFF
      && scalar.value != 0x2028 && scalar.value != 0x2029
  }

  /// Whether a text without quotes is read as the same text, by readers of YAML 1.1 too.
  private static func canBePlain(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
    // A letter that is in no number makes a text of what begins with a digit: 5s, 100m.
    let isUnit =
      ("0"..."9").contains(first) && text.unicodeScalars.contains { ("g"..."z").contains($0) && $0 != "x" && $0 != "o" }
    let begins = isUnit || first.properties.isAlphabetic || first == "/" || first == "_" || first == "." || first == "$"
    guard begins, last != ":", last != " ", text.unicodeScalars.allSatisfy(isPrintable) else { return false }
    if text.contains(": ") || text.contains(" #") { return false }
    // Inside of flow collections, of which none are written, more would have to be quoted.
    let reserved: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"]
    return !reserved.contains(text.lowercased()) && !ScalarForm.isNumberOrBoolean(text) && Double(text) == nil
  }

  private static func doubleQuoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        result += scalar.value < 0x10000 ? "\\u" + pad(digits, 4) : "\\U" + pad(digits, 8)
      }
    }
    return result + "\""
  }

  private static func pad(_ digits: String, _ count: Int) -> String {
    String(repeating: "0", count: count - digits.count) + digits
  }
}
