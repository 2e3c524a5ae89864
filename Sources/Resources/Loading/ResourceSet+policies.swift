/// A spec that says which instances or resources it is for.
package protocol ScopedSpec: Sendable {
  var scope: PolicyScope { get }
}

extension AuthorizationPolicy: ScopedSpec {}
extension RequestAuthentication: ScopedSpec {}
extension Telemetry: ScopedSpec {}
extension WasmPlugin: ScopedSpec {}
extension EnvoyFilter: ScopedSpec {}

extension Resource where Spec: ScopedSpec {
  /// The same resource, as far as it says whom it is for.
  package var scoped: Resource<PolicyScope> {
    Resource<PolicyScope>(kind: kind, metadata: metadata, location: location, spec: spec.scope)
  }
}

extension ResourceSet {
  /// All policies by whom they are for, kind by kind.
  package var policyScopes: [Resource<PolicyScope>] {
    let security = authorizationPolicies.map(\.scoped) + requestAuthentications.map(\.scoped)
    return security + telemetries.map(\.scoped) + wasmPlugins.map(\.scoped) + envoyFilters.map(\.scoped)
  }
}
