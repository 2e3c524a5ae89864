/// `rules[].when[]`: an attribute of a request, and the values that it must or must not have.
package struct AuthorizationCondition: Sendable {
  package let key: Located<String>?
  package let values: [Located<String>]
  package let notValues: [Located<String>]

  /// Attributes that stand for themselves, with what their values are.
  private static let attributes: [String: AuthorizationChecks.Check] = [
    "source.ip": AuthorizationChecks.address, "remote.ip": AuthorizationChecks.address,
    "destination.ip": AuthorizationChecks.address, "destination.port": AuthorizationChecks.port,
    "source.serviceAccount": AuthorizationChecks.serviceAccount, "source.trustDomain": AuthorizationChecks.trustDomain,
    "source.namespace": AuthorizationChecks.text, "source.principal": AuthorizationChecks.text,
    "request.auth.principal": AuthorizationChecks.text, "request.auth.audiences": AuthorizationChecks.text,
    "request.auth.presenter": AuthorizationChecks.text, "connection.sni": AuthorizationChecks.text,
  ]
  /// Attributes that are followed by a name in brackets.
  private static let maps = [
    "request.headers", "request.experimental.inline.headers", "request.auth.claims", "experimental.envoy.filters.",
  ]

  init(_ reader: FieldReader, _ action: AuthorizationPolicy.Action) {
    key = reader.string("key")
    values = reader.strings("values")
    notValues = reader.strings("notValues")
    // An item that is null has had its word.
    guard reader.isWritten else { return }
    reader.require("key", key, "`key` must not be empty")
    if let key, !key.value.isEmpty { check(key, reader, action) }
  }

  private func check(_ key: Located<String>, _ reader: FieldReader, _ action: AuthorizationPolicy.Action) {
    let context = reader.context
    if !values.isEmpty || !notValues.isEmpty {
      checkValues(key, context)
    } else if !reader.hasUnknownFields, !reader.hasItems("values"), !reader.hasItems("notValues") {
      context.error("at least one of `values` or `notValues` must be set for key \(key.value)", at: key.location)
    }
    let isIdentity = ["source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal"]
    if action == .custom, isIdentity.contains(key.value) || key.value.hasPrefix("request.auth.") {
      context.error("\(key.value) is currently not supported with CUSTOM action", at: key.location)
    }
  }

  private func checkValues(_ key: Located<String>, _ context: DecodingContext) {
    if let problem = Self.problem(with: key.value) {
      return context.error(
        "invalid `value` for `key` \(key.value): \(problem)", at: key.location,
        help: Suggestion.help(
          for: key.value, among: (Array(Self.attributes.keys) + Self.maps.map { "\($0)[]" }).sorted()))
    }
    let check = Self.attributes[key.value] ?? AuthorizationChecks.text
    for value in values + notValues {
      if value.value.isEmpty {
        context.error("empty value not allowed, found in \(key.value)", at: value.location)
      } else {
        check(value, key.value, context)
      }
    }
    for list in [values, notValues] where key.value == "source.serviceAccount" && list.count > 16 {
      context.error("may not have more than 16 values", at: list[16].location)
    }
  }

  /// Why the key is none, in Istio's words; nil when it is one.
  private static func problem(with key: String) -> String? {
    if attributes[key] != nil { return nil }
    if maps.contains(where: { key.hasPrefix($0) }) {
      let open = key.utf8.firstIndex(of: UInt8(ascii: "["))
      let inner = open.map { key[key.utf8.index(after: $0)...].dropLast() } ?? ""
      return key.hasSuffix("]") && !inner.isEmpty ? nil : "bad key (\(key)): should have format a[b]"
    }
    switch key {
    case "destination.namespace": return "attribute \(key) is replaced by the metadata.namespace"
    case "destination.name", "destination.user": return "deprecated attribute \(key): only supported in v1alpha1"
    default:
      return key.hasPrefix("destination.labels")
        ? "attribute \(key) is replaced by the workload selector" : "unknown attribute: \(key)"
    }
  }
}
