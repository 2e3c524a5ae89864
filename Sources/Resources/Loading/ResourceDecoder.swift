/// Turns one YAML document into a resource: finds the kind, reads it strictly, leaves it out when it has errors.
struct ResourceDecoder {
  let file: String
  private(set) var result = LoadResult()
  /// The resources that were taken, in their order.
  private var taken: [String] = []
  /// Something broken that does not say which resource it is.
  private var isUnidentified = false

  init(file: String) {
    self.file = file
  }

  /// Decodes a document; returns what it gave.
  mutating func decode(_ document: DocumentSplitter.Document, _ node: Node) -> SourceDocument {
    taken = []
    isUnidentified = false
    let brokenBefore = result.broken.count
    decode(node, lineOffset: document.firstLine)
    return SourceDocument(
      file: file, firstLine: document.firstLine, text: document.bytes, resources: taken,
      broken: Array(result.broken[brokenBefore...]), isUnidentified: isUnidentified)
  }

  /// Decodes a document, or the items of a list.
  ///
  /// - Parameter lineOffset: how many lines of the file stand before the document.
  mutating func decode(_ node: Node, lineOffset: Int) {
    let context = DecodingContext(file: file, lineOffset: lineOffset)
    guard case .mapping(let mapping) = node else {
      if case .scalar(let scalar) = node, ScalarForm.isNull(scalar.string) { return }
      context.error("a resource must be a map with apiVersion, kind and metadata", at: context.location(of: node))
      return finish(context, nil)
    }
    let reader = FieldReader(mapping, at: context.location(of: node), context)
    guard let kind = reader.string("kind") else {
      if !context.hasErrors { reader.require(false, "kind is missing", help: reader.misspelling(of: "kind")) }
      return finish(context, nil)
    }
    if kind.value == "List" || (kind.value.hasSuffix("List") && mapping["items"] != nil) {
      if case .sequence(let list)? = reader.raw("items") {
        for item in list.items { decode(item, lineOffset: lineOffset) }
      }
      return
    }
    decode(kind, reader)
  }

  /// Whether an Ingress is of Istio's class; others are for somebody else (`ingressControllerMode: STRICT`).
  private func isForIstio(_ metadata: Metadata, _ reader: FieldReader) -> Bool {
    reader.isLenient = true
    let named = reader.object("spec") { $0.string("ingressClassName")?.value } ?? nil
    return (named ?? metadata.annotations["kubernetes.io/ingress.class"]) == "istio"
  }

  private mutating func decode(_ kind: Located<String>, _ reader: FieldReader) {
    let context = reader.context
    let version = reader.string("apiVersion")
    guard let version else {
      if !context.hasErrors {
        reader.require(false, "apiVersion is missing", help: reader.misspelling(of: "apiVersion"))
      }
      return finish(context, nil)
    }
    context.isSecret = kind.value == "Secret"
    let metadata = reader.object("metadata", Metadata.init) ?? Metadata()
    let reference = "\(kind.value) \(metadata.namespace)/\(metadata.name)"
    context.resource = reference
    context.namespace = metadata.namespace
    MetadataRules.check(metadata, kind.value, context)
    switch KindCatalog.standing(of: kind.value, apiVersion: version.value) {
    case .ours:
      decode(kind, metadata, reader)
      StatusConditions.report(reader)
      reader.finish()
    case .ignored:
      if kind.value == "Namespace" { result.resources.namespaces.insert(metadata.name) }
      return
    case .ingress:
      guard isForIstio(metadata, reader) else { return }
      context.report(
        .warning, "\(name(kind, version)) of class istio is known but not acted on", at: kind.location, code: "SP1001",
        help: "write a Gateway and a VirtualService for it")
    case .notActedOn:
      context.report(
        .warning, "\(name(kind, version)) is known but not acted on", at: kind.location, code: "SP1001",
        help: "the gateway behaves as if the resource were absent")
    case .unknown(let help):
      context.report(
        .warning, "unknown kind \"\(kind.value)\" is ignored", at: kind.location, code: "SP1002", help: help)
    case .wrong(let message, let help):
      context.error(message, at: version.location, help: help)
      // What else there is to say is for the version that it should have.
      let count = context.diagnostics.count
      decode(kind, metadata, reader)
      context.forget(after: count)
    }
    finish(context, reference)
  }

  /// Takes over what was said, and takes back the resource if there were errors.
  private mutating func finish(_ context: DecodingContext, _ reference: String?) {
    result.diagnostics += context.diagnostics
    guard context.hasErrors else { return }
    result.broken.append(reference ?? file)
    if reference?.hasSuffix("/") ?? true { isUnidentified = true }
  }

  private mutating func decode(_ kind: Located<String>, _ metadata: Metadata, _ reader: FieldReader) {
    switch kind.value {
    case "Gateway": add(\.gateways, kind, metadata, reader, Gateway.init)
    case "VirtualService": add(\.virtualServices, kind, metadata, reader, VirtualService.init)
    case "ServiceEntry": add(\.serviceEntries, kind, metadata, reader, ServiceEntry.init)
    case "DestinationRule": add(\.destinationRules, kind, metadata, reader, DestinationRule.init)
    case "WorkloadEntry": add(\.workloadEntries, kind, metadata, reader, WorkloadEntry.init(resource:))
    case "PeerAuthentication":
      add(\.peerAuthentications, kind, metadata, reader, requiresSpec: false, PeerAuthentication.init)
    case "AuthorizationPolicy":
      add(\.authorizationPolicies, kind, metadata, reader, requiresSpec: false, AuthorizationPolicy.init)
    case "RequestAuthentication":
      add(\.requestAuthentications, kind, metadata, reader, requiresSpec: false, RequestAuthentication.init)
    case "Telemetry": add(\.telemetries, kind, metadata, reader, requiresSpec: false, Telemetry.init)
    case "WasmPlugin": add(\.wasmPlugins, kind, metadata, reader, WasmPlugin.init)
    case "EnvoyFilter": add(\.envoyFilters, kind, metadata, reader, EnvoyFilter.init)
    case "ProxyConfig": add(\.proxyConfigs, kind, metadata, reader, ProxyConfig.init)
    case "WorkloadGroup":
      checkOnly(kind, reader, "no machine registers without a control plane; WorkloadEntries count", WorkloadGroup.init)
    case "Sidecar": checkOnly(kind, reader, "Istio applies it to the proxies of workloads alone", Sidecar.init)
    case "IstioOperator": add(\.operators, kind, metadata, reader, IstioOperator.init)
    case "UpstreamProbe": add(\.probes, kind, metadata, reader, UpstreamProbe.init)
    default: decodeKubernetes(kind, metadata, reader)
    }
  }

  /// The kind; with its group where Istio has another kind of that name.
  private func name(_ kind: Located<String>, _ version: Located<String>) -> String {
    let group = version.value.prefix { $0 != "/" }
    return group == "gateway.networking.k8s.io" ? "\(kind.value) of \(group)" : kind.value
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
    default: break
    }
  }

  /// A kind that has no effect on a gateway: it is read as strictly as any other, and that is said.
  private func checkOnly<Spec>(
    _ kind: Located<String>, _ reader: FieldReader, _ why: String, _ decode: (FieldReader) -> Spec
  ) {
    reader.context.isInert = true
    if reader.object("spec", decode) == nil, kind.value != "Sidecar" { reader.require("spec", "spec is required") }
    reader.context.report(
      .info, "\(kind.value) does not apply to a gateway: \(why)", at: kind.location, code: "SP1015")
  }

  /// - Parameter requiresSpec: whether the kind has a `spec` always; an absent one stands for an empty one otherwise.
  private mutating func add<Spec>(
    _ list: WritableKeyPath<ResourceSet, [Resource<Spec>]>, _ kind: Located<String>, _ metadata: Metadata,
    _ reader: FieldReader, requiresSpec: Bool = true, _ decode: (FieldReader) -> Spec
  ) {
    var read = reader.object("spec", decode)
    if read == nil, !requiresSpec, !reader.has("spec") {
      read = decode(FieldReader(.empty, at: reader.location, reader.context))
    }
    guard let spec = read else {
      reader.accept("status")
      reader.require("spec", "spec is required")
      return
    }
    append(list, kind, metadata, reader, spec)
  }

  private mutating func append<Spec>(
    _ list: WritableKeyPath<ResourceSet, [Resource<Spec>]>, _ kind: Located<String>, _ metadata: Metadata,
    _ reader: FieldReader, _ spec: Spec
  ) {
    // Only an IstioOperator may be nameless: it is an input of the installer, not an object of a cluster.
    if metadata.name.isEmpty, kind.value != "IstioOperator", !reader.context.hasErrors {
      reader.context.error("metadata.name is required", at: reader.keyLocation("metadata") ?? reader.location)
    }
    // Unknown fields beside `spec` count too, so the document is finished before the resource is taken.
    reader.accept("status")
    reader.finish()
    let resource = Resource(kind: kind.value, metadata: metadata, location: reader.location, spec: spec)
    // A resource with errors must not do half of what it says: it is left out, the others work.
    guard !reader.context.hasErrors else { return result.flawed[keyPath: list].append(resource) }
    taken.append("\(kind.value) \(metadata.namespace)/\(metadata.name)")
    result.resources[keyPath: list].append(resource)
  }
}
