import Resources
import Routing

/// Diagnostics for machines.
package enum DiagnosticForms {
  /// istioctl's JSON: code, level, origin, message, reference.
  package static func json(_ diagnostics: [Diagnostic]) -> JSON {
    .array(
      diagnostics.map { diagnostic in
        .object([
          ("code", .string(diagnostic.code)), ("level", .string(level(diagnostic.severity))),
          ("origin", .optional(diagnostic.resource)), ("message", .string(diagnostic.message)),
          ("reference", .optional(diagnostic.location.map { "\($0.file):\($0.line)" })),
          ("file", .optional(diagnostic.location?.file)),
          ("line", diagnostic.location.map { .number($0.line) } ?? .null),
          ("column", diagnostic.location.map { .number($0.column) } ?? .null), ("help", .optional(diagnostic.help)),
          ("documentationUrl", .optional(MessageCatalog.message(diagnostic.code)?.page)),
        ])
      })
  }

  private static func level(_ severity: Diagnostic.Severity) -> String {
    switch severity {
    case .info: return "Info"
    case .warning: return "Warning"
    case .error: return "Error"
    }
  }

  /// SARIF 2.1.0, for code hosts and editors.
  package static func sarif(_ diagnostics: [Diagnostic]) -> JSON {
    let rules = Set(diagnostics.map(\.code)).sorted()
    return .object([
      ("$schema", .string("https://json.schemastore.org/sarif-2.1.0.json")), ("version", .string("2.1.0")),
      (
        "runs",
        .array([
          .object([
            (
              "tool",
              .object([
                (
                  "driver",
                  .object([
                    ("name", .string("sallyport")), ("version", .string(Version.text)),
                    ("rules", .array(rules.map(rule))),
                  ])
                )
              ])
            ), ("columnKind", .string("unicodeCodePoints")), ("results", .array(diagnostics.map(result))),
          ])
        ])
      ),
    ])
  }

  private static func rule(_ code: String) -> JSON {
    guard let message = MessageCatalog.message(code) else { return .object([("id", .string(code))]) }
    let text = { (text: String) in JSON.object([("text", .string(text))]) }
    return .object([
      ("id", .string(code)), ("name", .string(message.title)), ("shortDescription", text(message.title)),
      ("fullDescription", text(message.cause)),
      // The standard wants an absolute URI where there is one: what the documentation says is here instead.
      (
        "help",
        .object([
          ("text", .string("\(message.cause)\n\n\(message.fix)")),
          ("markdown", .string("**Cause.** \(message.cause)\n\n**Fix.** \(message.fix)")),
        ])
      ),
    ])
  }

  private static func result(_ diagnostic: Diagnostic) -> JSON {
    let level = diagnostic.severity == .info ? "note" : diagnostic.severity.label
    var fields: [(String, JSON)] = [
      ("ruleId", .string(diagnostic.code)), ("level", .string(level)),
      (
        "message",
        .object([("text", .string(diagnostic.message + (diagnostic.help.map { "; \($0)" } ?? "")))])
      ),
    ]
    if let location = diagnostic.location {
      fields.append(
        (
          "locations",
          .array([
            .object([
              (
                "physicalLocation",
                .object([
                  ("artifactLocation", .object([("uri", .string(uri(location.file)))])),
                  (
                    "region",
                    .object([
                      ("startLine", .number(location.line)), ("startColumn", .number(location.column)),
                      ("endColumn", .number(location.column + location.length)),
                    ])
                  ),
                ])
              )
            ])
          ])
        ))
    }
    return .object(fields)
  }

  /// A path as a relative reference, an absolute one as a URI (RFC 3986, sections 4.2 and 4.3; the standard forbids a slash
  /// in front): everything but unreserved characters and slashes is encoded.
  private static func uri(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in path.utf8 {
      let isPlain = (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-._~/".utf8.contains(byte)
      bytes += isPlain ? [byte] : [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return (path.hasPrefix("/") ? "file://" : "") + String(decoding: bytes, as: UTF8.self)
  }
}
