/// `accessLogging[]` of a Telemetry.
package struct TelemetryAccessLogging: Sendable {
  package let location: SourceLocation
  package let mode: Located<Telemetry.Mode>?
  package let providers: [Located<String>]
  package let disabled: Located<Bool>?
  /// In CEL: which requests are logged.
  package let filter: Located<String>?

  init(_ reader: FieldReader) {
    location = reader.location
    mode = Telemetry.mode(reader)
    providers = Telemetry.providers(reader)
    disabled = reader.boolean("disabled")
    filter = reader.object("filter") { $0.string("expression") } ?? nil
    if let filter, let problem = Self.problem(with: filter.value) {
      reader.context.error("must be a valid CEL expression, \(problem)", at: filter.location)
    }
  }

  /// Whether it says neither where to log nor that nothing is logged: Istio ignores it.
  package var isIdle: Bool { providers.isEmpty && disabled == nil }

  /// What a parser of CEL would stop at first: quotes and brackets that are not closed.
  private static func problem(with expression: String) -> String? {
    var open: [Character] = []
    var quote: Character?
    var isEscaped = false
    let pairs: [Character: Character] = [")": "(", "]": "[", "}": "{"]
    for character in expression {
      if let end = quote {
        if !isEscaped, character == end { quote = nil }
        isEscaped = !isEscaped && character == "\\"
      } else if character == "\"" || character == "'" {
        quote = character
      } else if pairs.values.contains(character) {
        open.append(character)
      } else if let opening = pairs[character], open.popLast() != opening {
        return "\"\(character)\" closes nothing"
      }
    }
    if expression.allSatisfy(\.isWhitespace) { return "it is empty" }
    if quote != nil { return "a string has no end" }
    return open.last.map { "\"\($0)\" is not closed" }
  }
}
