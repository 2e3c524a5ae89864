/// What names and values of header fields look like in resources.
enum HeaderRules {
  /// RFC 9110, section 5.1: a token.
  static func checkName(_ name: Located<String>, _ context: DecodingContext) {
    if name.value.isEmpty { return context.error("header name cannot be empty", at: name.location) }
    let isValid = name.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
    if !isValid { context.error("header name \(name.value) is not a valid header name", at: name.location) }
  }

  /// The name of a field that is set, added or removed: what is no field of its own cannot be.
  static func checkEdited(_ name: Located<String>, _ context: DecodingContext) {
    if name.value.lowercased() == "host" {
      context.error("invalid header \"\(name.value)\": cannot set Host header", at: name.location)
    } else if name.value.hasPrefix(":") {
      context.error("invalid header \"\(name.value)\": header cannot have \":\" prefix", at: name.location)
    } else {
      checkName(name, context)
    }
  }

  /// A field's value: no control characters, and Envoy's command operators between percent signs; a percent sign itself
  /// is written twice.
  static func checkValue(_ value: Located<String>, _ context: DecodingContext) {
    if value.value.utf8.contains(where: WireText.isForbiddenInField) {
      return context.error("header value configuration is invalid: it has control characters", at: value.location)
    }
    guard hasOpenOperator(value.value) else { return }
    context.error(
      "header value configuration: invalid header configuration. Un-escaped % in \"\(value.value)\"",
      at: value.location, help: "write %% for a percent sign")
  }

  private static func hasOpenOperator(_ value: String) -> Bool {
    var isOpen = false
    var previous: UInt8 = 0
    var isArgument = false
    for byte in value.utf8 {
      if isOpen, byte == 0x28 || byte == 0x29 {
        // Percent signs in an argument are its own: %START_TIME(%s)%.
        isArgument = byte == 0x28
      } else if isArgument {
        continue
      } else if byte == 0x25 {
        isOpen = !isOpen
      } else if isOpen, previous == 0x25, !(byte &- 0x41 < 26) {
        break
      }
      previous = byte
    }
    return isOpen
  }
}
