/// The kinds that resources can have, and the API groups that they belong to.
enum KindCatalog {
  /// What is to be done with a resource of a kind.
  enum Standing: Equatable {
    /// Decoded.
    case ours
    /// The Gateway API's; known, and not acted on.
    case notActedOn
    /// A cluster has it, and a gateway does not look at it.
    case ignored
    /// Ignored as well, unless its class makes it Istio's: then it is not acted on.
    case ingress
    case unknown(help: String?)
    /// A mistake in `apiVersion`.
    case wrong(String, help: String?)
  }

  private struct Group {
    let versions: [String]
    let kinds: Set<String>
    /// Kinds that only some of the versions serve.
    var exceptions: [String: [String]] = [:]

    func versions(of kind: String) -> [String] { exceptions[kind] ?? versions }
  }

  /// The groups that gateways are configured with: whatever is not found in them is a mistake.
  private static let groups: [String: Group] = [
    "networking.istio.io": Group(
      versions: ["v1", "v1beta1", "v1alpha3"],
      kinds: [
        "Gateway", "VirtualService", "ServiceEntry", "DestinationRule", "WorkloadEntry",
        "WorkloadGroup", "Sidecar", "ProxyConfig", "EnvoyFilter",
      ],
      exceptions: ["EnvoyFilter": ["v1alpha3"], "ProxyConfig": ["v1beta1"]]),
    "security.istio.io": Group(
      versions: ["v1", "v1beta1"],
      kinds: ["PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"]),
    "telemetry.istio.io": Group(versions: ["v1", "v1alpha1"], kinds: ["Telemetry"]),
    "extensions.istio.io": Group(versions: ["v1alpha1"], kinds: ["WasmPlugin"]),
    "install.istio.io": Group(versions: ["v1alpha1"], kinds: ["IstioOperator"]),
    "sallyport.dev": Group(versions: ["v1alpha1"], kinds: ["UpstreamProbe"]),
  ]

  /// Kubernetes' own kinds; the core group has no name.
  private static let kubernetes: [String: [String]] = [
    "Secret": [""], "ConfigMap": [""], "Service": [""], "Endpoints": [""],
    "EndpointSlice": ["discovery.k8s.io"], "Deployment": ["apps", "extensions"],
  ]

  private static let ignored: Set<String> = [
    "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Pod", "ReplicaSet",
    "StatefulSet", "DaemonSet", "Job", "CronJob", "PersistentVolume", "PersistentVolumeClaim", "StorageClass",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "PodTemplate", "ReplicationController", "PriorityClass",
    "NetworkPolicy", "CustomResourceDefinition", "APIService", "IngressClass", "Lease", "Event", "Node",
    "LimitRange", "ResourceQuota", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
    "ControllerRevision",
    "RuntimeClass", "CSIDriver", "Cluster", "ClusterConfiguration", "Certificate", "Issuer", "ClusterIssuer",
    "Kustomization",
  ]

  /// The versions that a kind of ours is served in, the newest first.
  static func apiVersions(of kind: String) -> [String] {
    groups.filter { $0.value.kinds.contains(kind) }.sorted { $0.key < $1.key }.flatMap { name, group in
      group.versions(of: kind).map { "\(name)/\($0)" }
    }
  }

  static func standing(of kind: String, apiVersion: String) -> Standing {
    let parts = apiVersion.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let group = parts.count == 2 ? parts[0] : ""
    let version = parts.last ?? ""
    if let known = groups[group] { return standing(of: kind, in: known, group, version) }
    if group == "gateway.networking.k8s.io" { return .notActedOn }
    if let home = groups.first(where: { $0.value.kinds.contains(kind) }) {
      return foreign(kind, apiVersion, group, ["\(home.key)/\(home.value.versions(of: kind)[0])"])
    }
    if let homes = kubernetes[kind] {
      if homes.contains(group) { return .ours }
      return foreign(kind, apiVersion, group, homes.map { $0.isEmpty ? "v1" : "\($0)/v1" })
    }
    if kind == "Ingress" { return .ingress }
    if ignored.contains(kind) { return .ignored }
    let kinds = groups.values.flatMap { Array($0.kinds) } + Array(kubernetes.keys)
    return .unknown(help: Suggestion.help(for: kind, among: kinds.sorted()))
  }

  private static func standing(of kind: String, in known: Group, _ group: String, _ version: String) -> Standing {
    guard known.kinds.contains(kind) else {
      let home = groups.first { $0.value.kinds.contains(kind) }
      if let home {
        return .wrong(
          "apiVersion \"\(group)/\(version)\" has no kind \(kind)",
          help: "did you mean \"\(home.key)/\(home.value.versions(of: kind)[0])\"?")
      }
      let kinds = known.kinds.sorted()
      return .unknown(
        help: Suggestion.help(for: kind, among: kinds) ?? "\(group) has \(kinds.joined(separator: ", "))")
    }
    guard known.versions(of: kind).contains(version) else {
      let choices = known.versions(of: kind).map { "\(group)/\($0)" }
      return .wrong(
        "apiVersion \"\(group)/\(version)\" is not served for \(kind)",
        help: "one of \(choices.joined(separator: ", "))")
    }
    return .ours
  }

  /// A kind of ours in a group that is not its own: somebody else's kind of the same name, or a slip.
  private static func foreign(_ kind: String, _ apiVersion: String, _ group: String, _ homes: [String]) -> Standing {
    let isElsewhere = group.contains(".") && Suggestion.nearest(to: apiVersion, among: homes) == nil
    if isElsewhere { return .unknown(help: "a \(kind) of \(homes[0]) would be read") }
    return .wrong(
      "apiVersion \"\(apiVersion)\" has no kind \(kind)", help: "did you mean \"\(homes[0])\"?")
  }
}
