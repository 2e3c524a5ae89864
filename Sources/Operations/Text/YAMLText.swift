/// Writes values as YAML, in the order in which they are said.
package enum YAMLText {
  /// The text of a document.
  package static func text(_ value: JSON) -> String {
    switch value {
    case .object(let fields) where !fields.isEmpty: return lines(of: fields, indent: "")
    case .array(let items) where !items.isEmpty: return lines(of: items, indent: "")
    default: return scalar(value) + "\n"
    }
  }

  private static func lines(of fields: [(String, JSON)], indent: String) -> String {
    fields.map { name, value in
      switch value {
      case .object(let inner) where !inner.isEmpty:
        return "\(indent)\(plain(name)):\n" + lines(of: inner, indent: indent + "  ")
      case .array(let items) where !items.isEmpty:
        return "\(indent)\(plain(name)):\n" + lines(of: items, indent: indent)
      default: return "\(indent)\(plain(name)): \(scalar(value))\n"
      }
    }.joined()
  }

  private static func lines(of items: [JSON], indent: String) -> String {
    items.map { item in
      let text: String
      switch item {
      case .object(let fields) where !fields.isEmpty: text = lines(of: fields, indent: indent + "  ")
      case .array(let items) where !items.isEmpty: text = lines(of: items, indent: indent + "  ")
      default: return "\(indent)- \(scalar(item))\n"
      }
      return "\(indent)- " + text.dropFirst(indent.count + 2)
    }.joined()
  }

  private static func scalar(_ value: JSON) -> String {
    switch value {
    case .string(let text): return plain(text)
    case .array: return "[]"
    case .object: return "{}"
    default: return value.text()
    }
  }

  /// A text as it is where YAML reads the same text from it, else in quotes.
  private static func plain(_ text: String) -> String {
    guard let first = text.first, let last = text.last, first.isLetter || first == "/", last != ":", last != " " else {
      return JSON.quoted(text)
    }
    let reserved: Set<String> = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\"" && $0 != "\u{7F}" }
    let isSafe = !text.contains(": ") && !text.contains(" #") && !reserved.contains(text.lowercased())
    return isPlain && isSafe ? text : JSON.quoted(text)
  }
}
