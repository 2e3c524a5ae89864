/// What curl does to URLs before it uses them.
enum URLPattern {
  /// More than these are nobody's question.
  private static let limit = 100

  /// The URLs that braces and ranges in brackets stand for: `{one,two}`, `[1-3]`, `[a-c]`, `[0-10:5]`.
  static func expand(_ url: String) -> [String] {
    var done: [String] = []
    var open = [url]
    while let current = open.popLast(), done.count < limit {
      guard let (start, end, choices) = firstChoice(current) else {
        done.append(current)
        continue
      }
      open += choices.prefix(limit).reversed().map { current[..<start] + $0 + current[end...] }
    }
    return done
  }

  private static func firstChoice(_ url: String) -> (start: String.Index, end: String.Index, choices: [String])? {
    var index = url.startIndex
    while index < url.endIndex {
      let close: Character? = url[index] == "{" ? "}" : url[index] == "[" ? "]" : nil
      if let close, let end = url[index...].firstIndex(of: close) {
        let inside = url[url.index(after: index)..<end]
        let choices = close == "}" ? inside.split(separator: ",").map(String.init) : range(inside)
        if let choices, !choices.isEmpty { return (index, url.index(after: end), choices) }
      }
      index = url.index(after: index)
    }
    return nil
  }

  /// The members of a range; nil for what is none, as an IPv6 address.
  private static func range(_ text: Substring) -> [String]? {
    let parts = text.split(separator: ":", maxSplits: 1)
    let ends = parts.first?.split(separator: "-") ?? []
    guard ends.count == 2, let step = parts.count == 2 ? Int(parts[1]) : 1, step > 0 else { return nil }
    if let low = Int(ends[0]), let high = Int(ends[1]), low <= high {
      let width = ends[0].hasPrefix("0") ? ends[0].count : 0
      return stride(from: low, through: high, by: step).prefix(limit).map { number in
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
      }
    }
    guard ends[0].count == 1, ends[1].count == 1, let low = ends[0].utf8.first, let high = ends[1].utf8.first,
      low <= high,
      ends[0].utf8.count == 1, ends[1].utf8.count == 1
    else { return nil }
    return stride(from: low, through: high, by: step).map { String(decoding: [$0], as: UTF8.self) }
  }

  /// `name=content` of `--data-urlencode`, with the content encoded; a file's content is not known.
  static func encoded(_ text: String) -> String {
    guard let equals = text.firstIndex(of: "=") else { return text.contains("@") ? text : percent(text) }
    let name = text[..<equals]
    let content = percent(String(text[text.index(after: equals)...]))
    return name.isEmpty ? content : "\(name)=\(content)"
  }

  /// Everything but unreserved characters as `%XX` (RFC 3986, section 2.3), a space as in forms.
  private static func percent(_ text: String) -> String {
    text.utf8.reduce(into: "") { result, byte in
      if (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-._~".utf8.contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else if byte == 0x20 {
        result += "+"
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
  }

  /// `user:password` of a URL that has them.
  static func user(of url: String) -> String? {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return authority.lastIndex(of: "@").map { String(authority[..<$0]) }
  }
}
