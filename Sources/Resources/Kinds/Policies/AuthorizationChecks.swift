/// What values of an AuthorizationPolicy may be (Istio's `security.Validate…`). None of them is empty.
enum AuthorizationChecks {
  /// Says what is wrong with a value of a field or key of that name.
  typealias Check = @Sendable (_ value: Located<String>, _ key: String, _ context: DecodingContext) -> Void

  /// Methods that are surely meant in capitals.
  private static let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]

  /// A text with a wildcard at its start or end, or none. Istio takes others as they are: they match nothing.
  static func text(_ value: Located<String>, _ key: String, _ context: DecodingContext) {
    if let problem = wildcardProblem(value.value, key) {
      context.warning(problem, at: value.location, help: "the value is compared as it stands")
    }
  }

  /// A method: case counts.
  static func method(_ value: Located<String>, _ key: String, _ context: DecodingContext) {
    text(value, key, context)
    let upper = value.value.uppercased()
    if upper != value.value, methods.contains(upper) {
      context.warning(
        "method \"\(value.value)\" matches no request: case counts", at: value.location,
        help: "did you mean \"\(upper)\"?")
    }
  }

  private static func wildcardProblem(_ value: String, _ key: String) -> String? {
    let stars = value.utf8.filter { $0 == UInt8(ascii: "*") }.count
    if stars > 1 { return "at most one wildcard is allowed, found in \(key): \"\(value)\"" }
    if stars == 1, !value.hasPrefix("*"), !value.hasSuffix("*") {
      return "wildcard is only allowed at the start or end, found in \(key): \"\(value)\""
    }
    return nil
  }

  static func trustDomain(_ value: Located<String>, _ key: String, _ context: DecodingContext) {
    if value.value.contains("/") {
      context.error("trust domain must not contain '/', found in \(key): \"\(value.value)\"", at: value.location)
    } else if let problem = wildcardProblem(value.value, key) {
      context.error(problem, at: value.location)
    }
  }

  static func serviceAccount(_ value: Located<String>, _ key: String, _ context: DecodingContext) {
    let parts = value.value.split(separator: "/", omittingEmptySubsequences: false)
    let format = "expected format 'serviceAccount' or 'namespace/serviceAccount', found"
    let problem: String? =
      if value.value.contains("*") {
        "wildcard not allowed, found in \(key)"
      } else if parts.count > 2 {
        "\(format) \"\(value.value)\" in \(key)"
      } else if value.value.utf8.count > 320 {
        "value cannot exceed 320 characters, found \"\(value.value)\" in \(key)"
      } else if parts.count == 2, parts[0].isEmpty {
        "\(format) empty namespace \"\(value.value)\" in \(key)"
      } else if parts.count == 2, parts[1].isEmpty {
        "\(format) empty serviceAccount \"\(value.value)\" in \(key)"
      } else {
        nil
      }
    if let problem { context.error(problem, at: value.location) }
  }

  /// An address, or a range with the length of its prefix.
  static func address(_ value: Located<String>, _: String, _ context: DecodingContext) {
    let parts = value.value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      if !HostRules.isIPLiteral(value.value) {
        context.error("bad IP address (\(value.value))", at: value.location)
      }
      return
    }
    let limit = parts[0].contains(":") ? 128 : 32
    let isLength = Int(parts[1]).map { (0...limit).contains($0) && parts[1].allSatisfy(\.isNumber) } ?? false
    if !HostRules.isIPLiteral(parts[0]) || parts[0].contains("%") {
      context.error("bad CIDR range (\(value.value)): \"\(parts[0])\" is no address", at: value.location)
    } else if !isLength {
      context.error("bad CIDR range (\(value.value)): the length must be 0 to \(limit)", at: value.location)
    }
  }

  static func port(_ value: Located<String>, _: String, _ context: DecodingContext) {
    let number = value.value.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(value.value) : nil
    guard number.map({ (0...65535).contains($0) }) != true else { return }
    let why = number == nil ? "not a number" : "out of range"
    context.error("bad port (\(value.value)): \(why)", at: value.location)
  }

  /// A path with wildcards, or a template: `{*}` stands for a segment, `{**}` for any number of them.
  static func path(_ value: Located<String>, _ key: String, _ context: DecodingContext) {
    let isTemplate = value.value.contains("{*}") || value.value.contains("{**}")
    var isAnySeen = false
    let trimmed = value.value.drop { $0 == "/" }.reversed().drop { $0 == "/" }.reversed()
    let path = String(trimmed)
    let start = "invalid or unsupported path \(path), found in \(key)."
    for segment in path.split(separator: "/", omittingEmptySubsequences: false) {
      if segment == "{*}" || segment == "{**}" {
        if isAnySeen { return context.error("\(start) {**} is not the last operator", at: value.location) }
        isAnySeen = segment == "{**}"
      } else if segment.contains("{") || segment.contains("}") {
        return context.error("\(start) Contains '{' or '}' beyond a supported path template", at: value.location)
      } else if isTemplate, !isLiteral(segment) {
        return context.error(
          "\(start) Contains segment \(segment) with invalid string literal", at: value.location)
      }
    }
    if !isTemplate { text(value, key, context) }
  }

  /// RFC 3986's pchar, without the asterisk, as Istio has it.
  private static func isLiteral(_ segment: Substring) -> Bool {
    !segment.isEmpty
      && segment.utf8.allSatisfy { byte in
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-._~%!$&'()+,;:@=".utf8.contains(byte)
      }
  }
}
