import Yams

/// Turns one YAML document into a resource: finds the kind, reads it strictly, leaves it out when it has errors.
struct ResourceDecoder {
  let file: String
  private(set) var result = LoadResult()

  init(file: String) {
    self.file = file
  }

  /// Kinds that a cluster has and a gateway does not look at.
  private static let ignoredKinds: Set<String> = [
    "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Pod", "ReplicaSet",
    "StatefulSet", "DaemonSet", "Job", "CronJob", "PersistentVolumeClaim", "HorizontalPodAutoscaler",
    "PodDisruptionBudget", "NetworkPolicy", "CustomResourceDefinition", "Ingress", "IngressClass", "Lease", "Event",
    "Node", "LimitRange", "ResourceQuota", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Cluster",
    "ClusterConfiguration", "Certificate", "Issuer", "ClusterIssuer", "Kustomization",
  ]

  /// Istio's kinds that are known and not acted on.
  private static let unsupportedKinds: Set<String> = [
    "WorkloadGroup", "Sidecar", "ProxyConfig", "RequestAuthentication", "AuthorizationPolicy", "Telemetry",
    "EnvoyFilter", "WasmPlugin",
  ]

  private static let istioVersions: [String: Set<String>] = [
    "networking.istio.io": ["v1", "v1beta1", "v1alpha3"], "security.istio.io": ["v1", "v1beta1"],
    "telemetry.istio.io": ["v1", "v1alpha1"], "install.istio.io": ["v1alpha1"], "sallyport.dev": ["v1alpha1"],
  ]

  /// Decodes a document, or the items of a list.
  mutating func decode(_ node: Node) {
    let context = DecodingContext(file: file)
    guard case .mapping(let mapping) = node else {
      if case .scalar(let scalar) = node, scalar.string.isEmpty { return }
      context.error("a resource must be a map with apiVersion, kind and metadata", at: context.location(of: node))
      return finish(context, nil)
    }
    let reader = FieldReader(mapping, at: context.location(of: node), context)
    guard let kind = reader.string("kind") else {
      context.error("kind is missing", at: reader.location)
      return finish(context, nil)
    }
    if kind.value == "List" || (kind.value.hasSuffix("List") && mapping["items"] != nil) {
      if case .sequence(let items)? = reader.raw("items") {
        for item in items { decode(item) }
      }
      return
    }
    let version = reader.string("apiVersion")
    let metadata = reader.object("metadata", Metadata.init) ?? Metadata()
    let reference = "\(kind.value) \(metadata.namespace)/\(metadata.name)"
    context.resource = reference
    guard checkVersion(version, kind, reader) else { return finish(context, reference) }
    decode(kind, metadata, reader)
    reader.accept("status")
    if !reader.isLenient { reader.finish() }
    finish(context, reference)
  }

  /// Takes over what was said, and takes back the resource if there were errors.
  private mutating func finish(_ context: DecodingContext, _ reference: String?) {
    result.diagnostics += context.diagnostics
    if context.hasErrors { result.broken.append(reference ?? file) }
  }

  private func checkVersion(_ version: Located<String>?, _ kind: Located<String>, _ reader: FieldReader) -> Bool {
    guard let version else {
      reader.context.error("apiVersion is missing", at: reader.location)
      return false
    }
    let parts = version.value.split(separator: "/")
    guard parts.count == 2, let known = Self.istioVersions[String(parts[0])] else { return true }
    guard known.contains(String(parts[1])) else {
      let choices = known.sorted().map { "\(parts[0])/\($0)" }
      reader.context.error(
        "apiVersion \"\(version.value)\" is not served for \(kind.value)", at: version.location,
        help: "one of \(choices.joined(separator: ", "))")
      return false
    }
    return true
  }

  private mutating func decode(_ kind: Located<String>, _ metadata: Metadata, _ reader: FieldReader) {
    switch kind.value {
    case "Gateway":
      // The Gateway API has a kind of the same name.
      add(\.gateways, kind, metadata, reader, Gateway.init)
    case "VirtualService": add(\.virtualServices, kind, metadata, reader, VirtualService.init)
    case "ServiceEntry": add(\.serviceEntries, kind, metadata, reader, ServiceEntry.init)
    case "DestinationRule": add(\.destinationRules, kind, metadata, reader, DestinationRule.init)
    case "WorkloadEntry": add(\.workloadEntries, kind, metadata, reader, WorkloadEntry.init)
    case "PeerAuthentication": add(\.peerAuthentications, kind, metadata, reader, PeerAuthentication.init)
    case "IstioOperator": add(\.operators, kind, metadata, reader, IstioOperator.init)
    case "UpstreamProbe": add(\.probes, kind, metadata, reader, UpstreamProbe.init)
    default: decodeKubernetes(kind, metadata, reader)
    }
  }

  private mutating func decodeKubernetes(_ kind: Located<String>, _ metadata: Metadata, _ reader: FieldReader) {
    switch kind.value {
    case "Service":
      reader.isLenient = true
      add(\.services, kind, metadata, reader, Service.init)
    case "Deployment":
      reader.isLenient = true
      add(\.deployments, kind, metadata, reader, Deployment.init)
    case "Secret": append(\.secrets, kind, metadata, reader, Secret(document: reader))
    case "ConfigMap": append(\.configMaps, kind, metadata, reader, ConfigMap(document: reader))
    case "EndpointSlice":
      append(\.endpointSlices, kind, metadata, reader, EndpointSlice(slice: reader, metadata: metadata))
    case "Endpoints":
      for slice in EndpointSlice.subsets(of: reader, metadata: metadata) {
        append(\.endpointSlices, kind, metadata, reader, slice)
      }
    default: decodeOther(kind, reader)
    }
  }

  private func decodeOther(_ kind: Located<String>, _ reader: FieldReader) {
    reader.isLenient = true
    if Self.ignoredKinds.contains(kind.value) { return }
    if Self.unsupportedKinds.contains(kind.value) {
      return reader.context.report(
        .warning, "\(kind.value) is known but not acted on", at: kind.location, code: "SP1001",
        help: "the gateway behaves as if the resource were absent")
    }
    let known = [
      "Gateway", "VirtualService", "ServiceEntry", "DestinationRule", "WorkloadEntry", "PeerAuthentication",
      "IstioOperator", "UpstreamProbe", "Secret", "Service", "EndpointSlice", "Endpoints", "Deployment", "ConfigMap",
    ]
    reader.context.report(
      .warning, "unknown kind \"\(kind.value)\" is ignored", at: kind.location, code: "SP1002",
      help: Suggestion.help(for: kind.value, among: known + Self.unsupportedKinds.sorted()))
  }

  private mutating func add<Spec>(
    _ list: WritableKeyPath<ResourceSet, [Resource<Spec>]>, _ kind: Located<String>, _ metadata: Metadata,
    _ reader: FieldReader, _ decode: (FieldReader) -> Spec
  ) {
    if metadata.name.isEmpty, kind.value != "IstioOperator" {
      reader.context.error("metadata.name is required", at: reader.location)
    }
    guard let spec = reader.object("spec", decode) else {
      reader.context.error("spec is required", at: reader.location)
      return
    }
    append(list, kind, metadata, reader, spec)
  }

  private mutating func append<Spec>(
    _ list: WritableKeyPath<ResourceSet, [Resource<Spec>]>, _ kind: Located<String>, _ metadata: Metadata,
    _ reader: FieldReader, _ spec: Spec
  ) {
    // A resource with errors must not do half of what it says: it is left out, the others work.
    guard !reader.context.hasErrors, !willFail(reader) else { return }
    result.resources[keyPath: list].append(
      Resource(kind: kind.value, metadata: metadata, location: reader.location, spec: spec))
  }

  /// Unknown fields beside `spec` are found when the document is finished, after the resource was made.
  private func willFail(_ reader: FieldReader) -> Bool {
    guard !reader.isLenient else { return false }
    reader.accept("status")
    reader.finish()
    let failed = reader.context.hasErrors
    reader.isLenient = true
    return failed
  }
}
