/// security.istio.io AuthorizationPolicy: which requests a workload answers. It is read and checked; the gateway does not
/// enforce it, and says so of each that is for it.
package struct AuthorizationPolicy: Sendable {
  package enum Action: String, Sendable, CaseIterable {
    case allow = "ALLOW"
    case deny = "DENY"
    case audit = "AUDIT"
    case custom = "CUSTOM"
  }

  package let scope: PolicyScope
  /// ALLOW where it is absent.
  package let action: Located<Action>?
  /// Who is asked by the action CUSTOM, by its name in `meshConfig.extensionProviders`.
  package let provider: Located<String>?
  package let rules: [AuthorizationRule]
  /// The annotation `istio.io/dry-run` makes Istio log what the policy would do.
  package let isDryRun: Bool

  /// Istio's order of checks (`ValidateAuthorizationPolicy`).
  init(_ reader: FieldReader) {
    scope = PolicyScope(reader)
    action = reader.enumeration("action", Action.self)
    provider = reader.object("provider") { $0.string("name") } ?? nil
    let context = reader.context
    let action = action?.value ?? .allow
    for (index, place) in reader.nullItems("rules") {
      context.error("`rule` must not be nil, found at rule \(index)", at: place, help: "{} is a rule for every request")
    }
    var index = 0
    rules = reader.objects("rules") { rule in
      defer { index += 1 }
      return AuthorizationRule(rule, index, action)
    }
    isDryRun = context.dryRun != nil
    check(reader, action)
  }

  private func check(_ reader: FieldReader, _ action: Action) {
    let context = reader.context
    let place = self.action?.location
    if action == .custom || action == .deny, !reader.hasItems("rules"), reader.misspelling(of: "rules") == nil {
      context.error(
        "\(action.rawValue) action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` if you want it be triggered for every request",
        at: place, help: "rules: [{}]")
    } else if action == .custom, provider?.value.isEmpty ?? true {
      context.error(
        "`provider.name` must not be empty", at: provider?.location ?? reader.keyLocation("provider") ?? place,
        help: "name one of meshConfig.extensionProviders")
    }
    if action != .custom, reader.has("provider") {
      context.error(
        "`provider` must not be with non CUSTOM action, found \(action.rawValue)", at: reader.keyLocation("provider"),
        help: self.action == nil ? "add action: CUSTOM" : nil)
    }
    if let dryRun = context.dryRun, action == .audit || action == .custom {
      context.error(
        "the annotation \(MetadataRules.dryRun) currently only supports action ALLOW/DENY, found action \(action.rawValue) in \(context.reference)",
        at: dryRun)
    }
    if rules.count > 512 {
      context.error("rules: at most 512 are allowed, found \(rules.count)", at: reader.keyLocation("rules"))
    }
  }
}
