/// A policy that is known and not acted on (AuthorizationPolicy, RequestAuthentication, Telemetry, WasmPlugin): whom it
/// is for, so that it can be said where it would do nothing in any case.
package struct PolicyOutline: Sendable {
  /// An entry of a Telemetry's `accessLogging`.
  package struct Logging: Sendable {
    package let location: SourceLocation
    package let hasProviders: Bool
  }

  package var selector: [String: Located<String>]
  /// Where the selector is; nil: there is none.
  package var selectorLocation: SourceLocation?
  /// Where it names resources that it is attached to; nil: it does not.
  package var targetsLocation: SourceLocation?
  package var logging: [Logging]

  init(_ reader: FieldReader) {
    reader.isLenient = true
    let selector = reader.object("selector") { $0.stringMap("matchLabels") }
    self.selector = selector ?? [:]
    selectorLocation = selector == nil ? nil : reader.keyLocation("selector")
    let hasTargets = reader.hasItems("targetRefs") || reader.has("targetRef")
    targetsLocation = hasTargets ? reader.keyLocation("targetRefs") ?? reader.keyLocation("targetRef") : nil
    logging = reader.objects("accessLogging") {
      Logging(location: $0.location, hasProviders: $0.hasItems("providers") || $0.has("disabled"))
    }
    HostRules.checkSelector(self.selector, at: selectorLocation, reader.context)
    if selectorLocation != nil, let targetsLocation {
      reader.context.error("only one of targetRefs or workloadSelector can be set", at: targetsLocation)
    }
  }
}
