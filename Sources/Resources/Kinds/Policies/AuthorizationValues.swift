/// A field of a source or operation with its negation: values of which one must be met, values of which none may be.
package struct AuthorizationValues: Sendable {
  package let values: [Located<String>]
  package let notValues: [Located<String>]
  /// Nothing is written, not even something mistyped.
  package let isEmpty: Bool

  /// Reads `principals` and `notPrincipals`, and checks each value with its field's name as Istio writes it.
  init(
    _ reader: FieldReader, _ name: String,
    _ check: AuthorizationChecks.Check = AuthorizationChecks.text
  ) {
    let title = name.prefix(1).uppercased() + name.dropFirst()
    values = reader.strings(name)
    notValues = reader.strings("not\(title)")
    isEmpty = !reader.hasItems(name) && !reader.hasItems("not\(title)")
    for value in values { Self.check(value, title, reader.context, check) }
    for value in notValues { Self.check(value, "Not\(title)", reader.context, check) }
  }

  private static func check(
    _ value: Located<String>, _ key: String, _ context: DecodingContext,
    _ check: AuthorizationChecks.Check
  ) {
    if value.value.isEmpty {
      context.error("empty value not allowed, found in \(key)", at: value.location)
    } else {
      check(value, key, context)
    }
  }

}
