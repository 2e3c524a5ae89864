import Resources

/// Says of each policy that is for an instance that the instance does not do what it says. The words are the same for
/// every instance, so that a configuration with many of them hears them once.
enum PolicyEnforcement {
  private static let help =
    "the gateway authorizes no requests: let the sidecar of the upstream, or a proxy before the gateway, refuse them"

  static func findings(_ resources: ResourceSet, _ identity: InstanceIdentity) -> [Diagnostic] {
    let reach = PolicyReach(resources)
    let isOurs = { (policy: Resource<PolicyScope>) in reach.includes(identity, policy) }
    var all = resources.authorizationPolicies.filter { isOurs($0.scoped) }.map(authorization)
    all += resources.requestAuthentications.filter { isOurs($0.scoped) }.map(authentication)
    all += resources.telemetries.filter { isOurs($0.scoped) }.map { policy in
      finding(
        "SP1001", "\(policy.description) is not acted on: access log, metrics and traces are the instance's own",
        at: policy.metadata.nameLocation, policy.description,
        help: "meshConfig of an IstioOperator says what is logged and where")
    }
    all += resources.wasmPlugins.filter { isOurs($0.scoped) }.map(plugin)
    all += resources.envoyFilters.filter { isOurs($0.scoped) }.map { policy in
      finding(
        "SP1001", "\(policy.description) is not acted on: there is no Envoy whose configuration it could change",
        at: policy.metadata.nameLocation, policy.description, help: nil)
    }
    return all + resources.peerAuthentications.compactMap { peer($0, reach, identity) }
  }

  private static func finding(
    _ code: String, _ message: String, at location: SourceLocation?, _ resource: String, help: String?
  ) -> Diagnostic {
    MessageCatalog.finding(code, message, at: location, resource: resource, help: help)
  }

  private static func authorization(_ policy: Resource<AuthorizationPolicy>) -> Diagnostic {
    let place = policy.spec.action?.location ?? policy.metadata.nameLocation
    let action = policy.spec.action?.value ?? .allow
    if policy.spec.isDryRun || action == .audit {
      let what = policy.spec.isDryRun ? "nothing says what it would do" : "requests are not audited"
      return finding(
        "SP1001", "\(policy.description) is not acted on: \(what)", at: place, policy.description, help: nil)
    }
    let consequence =
      switch action {
      case .deny: "requests that it denies are answered all the same"
      case .custom: "requests are answered without asking provider \"\(policy.spec.provider?.value ?? "")\""
      default:
        policy.spec.rules.isEmpty
          ? "it allows no request, and all are answered" : "requests that it does not allow are answered all the same"
      }
    return finding(
      "SP1016", "\(policy.description) is not enforced: \(consequence)", at: place, policy.description, help: help)
  }

  private static func authentication(_ policy: Resource<RequestAuthentication>) -> Diagnostic {
    finding(
      "SP1016",
      "\(policy.description) is not enforced: tokens are not verified, requests with invalid ones are answered all the same",
      at: policy.metadata.nameLocation, policy.description,
      help: "the gateway hands tokens on as they came: let the upstream or its sidecar verify them")
  }

  private static func plugin(_ policy: Resource<WasmPlugin>) -> Diagnostic {
    let isSecurity = policy.spec.phase?.value == .authn || policy.spec.phase?.value == .authz
    if isSecurity {
      return finding(
        "SP1016", "\(policy.description) is not enforced: requests that the plugin would refuse are answered",
        at: policy.spec.phase?.location, policy.description, help: help)
    }
    return finding(
      "SP1001", "\(policy.description) is not acted on: the gateway runs no filters in WebAssembly",
      at: policy.metadata.nameLocation, policy.description, help: nil)
  }

  /// It decides on the listeners of workloads, never on the servers of a Gateway, in Istio too.
  private static func peer(
    _ policy: Resource<PeerAuthentication>, _ reach: PolicyReach, _ identity: InstanceIdentity
  ) -> Diagnostic? {
    let labels = (policy.spec.selector ?? [:]).mapValues(\.value)
    guard reach.reaches(identity, from: policy.metadata.namespace), identity.matches(labels) else { return nil }
    let modes = [policy.spec.mode] + policy.spec.portLevel.map(\.mode)
    guard let strict = modes.lazy.compactMap({ $0 }).first(where: { $0.value == .strict }) else { return nil }
    return finding(
      "SP1014", "PeerAuthentication STRICT has no effect on the servers of a Gateway: their tls settings decide",
      at: strict.location, policy.description, help: nil)
  }
}
