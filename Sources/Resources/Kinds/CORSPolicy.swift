/// `http[].corsPolicy`: which web pages of other origins may call.
package struct CORSPolicy: Sendable {
  package enum UnmatchedPreflights: String, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case forward = "FORWARD"
    case ignore = "IGNORE"
  }

  /// `allowOrigins`, and the older `allowOrigin` as exact matches after them.
  package var allowOrigins: [StringMatch]
  package var allowMethods: [Located<String>]
  package var allowHeaders: [Located<String>]
  package var exposeHeaders: [Located<String>]
  /// In milliseconds, whole seconds.
  package var maxAge: Located<Int>?
  package var allowCredentials: Located<Bool>?
  package var unmatchedPreflights: Located<UnmatchedPreflights>?

  private static let methods: Set<String> = [
    "*", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
  ]

  init(_ reader: FieldReader) {
    let exact = reader.strings("allowOrigin").map { StringMatch(exact: $0) }
    allowOrigins = reader.objects("allowOrigins", StringMatch.init) + exact
    allowMethods = reader.strings("allowMethods")
    allowHeaders = reader.strings("allowHeaders")
    exposeHeaders = reader.strings("exposeHeaders")
    maxAge = reader.duration("maxAge")
    allowCredentials = reader.boolean("allowCredentials")
    unmatchedPreflights = reader.enumeration("unmatchedPreflights")
    reader.deprecated("allowOrigin", use: "allowOrigins")
    check(reader.context)
  }

  private func check(_ context: DecodingContext) {
    for method in allowMethods where !Self.methods.contains(method.value) {
      context.error(
        "\"\(method.value)\" is not a supported HTTP method", at: method.location,
        help: Suggestion.help(for: method.value, among: Self.methods.sorted()))
    }
    for name in allowHeaders + exposeHeaders where name.value != "*" {
      HeaderRules.checkName(name, context)
    }
    if let maxAge, maxAge.value % 1000 != 0 {
      context.error("max_age duration is accurate only to seconds precision", at: maxAge.location)
    }
    for origin in allowOrigins {
      if case .present = origin.kind {
        context.error("'<nil>' is not a valid match type for CORS allow origins", at: origin.location)
      }
    }
  }
}
