import Resources

/// Rules that no gateway has, and conditions on the gateway itself that hold for none.
enum ScopeAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    withoutGateways(context) + otherProtocol(context)
      + GatewayRules.entries(context).flatMap { port($0) + workload($0, context) + scheme($0) }
  }

  // MARK: Whole VirtualServices

  /// SP1038: `gateways` is left out where a Gateway has the host, and nobody else serves it there.
  private static func withoutGateways(_ context: AnalysisContext) -> [Diagnostic] {
    let forgotten = context.virtualServices.filter { $0.spec.gateways.isEmpty && !$0.spec.hosts.isEmpty }
    guard !forgotten.isEmpty else { return [] }
    let served = Set(
      context.virtualServices.filter { !$0.spec.gateways.isEmpty }.flatMap { service in
        service.spec.hosts.map { HostName.expand($0.value, namespace: service.metadata.namespace) }
      })
    var byHost: [String: Resource<Gateway>] = [:]
    for gateway in context.resources.gateways {
      for host in gateway.spec.servers.flatMap(GatewayRules.hosts) where byHost[host] == nil { byHost[host] = gateway }
    }
    return forgotten.compactMap { service in
      for host in service.spec.hosts {
        let name = HostName.expand(host.value, namespace: service.metadata.namespace)
        // A host of the mesh, or of a ServiceEntry, is what sidecars have rules for.
        guard !HostName.isInMesh(name), context.entries(name).isEmpty, !served.contains(name),
          let gateway = ([name] + HostIndex.wildcards(above: name)).lazy.compactMap({ byHost[$0] }).first
        else { continue }
        return MessageCatalog.finding(
          "SP1038",
          "\(service.description) has no gateways: it is for the sidecars of the mesh, and Gateway \(gateway.reference) does not serve \(host.value) by it",
          at: host.location, resource: service.description, help: "add \"gateways: [\(gateway.reference)]\"")
      }
      return nil
    }
  }

  /// SP1039: rules for connections, where the servers of the host read requests.
  private static func otherProtocol(_ context: AnalysisContext) -> [Diagnostic] {
    // Gateways whose servers all read requests, with their hosts.
    var readers: [String: HostIndex] = [:]
    for gateway in context.resources.gateways where gateway.spec.servers.allSatisfy(GatewayRules.readsRequests) {
      for host in gateway.spec.servers.flatMap(GatewayRules.hosts) {
        readers[gateway.reference, default: HostIndex()].insert(host)
      }
    }
    return context.virtualServices.compactMap { service in
      guard service.spec.http.isEmpty, !service.spec.gateways.isEmpty,
        let place = service.spec.tls.first?.location ?? service.spec.tcp.first?.location
      else { return nil }
      let references = service.spec.gateways.map {
        GatewayReference.resolve($0.value, namespace: service.metadata.namespace)
      }
      let names = service.spec.hosts.map { HostName.expand($0.value, namespace: service.metadata.namespace) }
      let hosts = references.compactMap { readers[$0] }
      guard hosts.count == references.count, hosts.contains(where: { names.contains(where: $0.overlaps) }) else {
        return nil
      }
      let kind = service.spec.tls.isEmpty ? "tcp" : "tls"
      return MessageCatalog.finding(
        "SP1039",
        "the \(kind) rules of \(service.description) are not used: the servers of Gateway \(references[0]) read requests, which get 404",
        at: place, resource: service.description,
        help: "write http rules, or give the server protocol \(kind == "tls" ? "TLS and mode PASSTHROUGH" : "TCP")")
    }
  }

  // MARK: Conditions, SP1028

  private static func port(_ entry: GatewayRules.Entry) -> [Diagnostic] {
    guard let port = entry.conditions.port else { return [] }
    let known = Set(entry.gateways.flatMap(\.spec.servers).compactMap { $0.port?.number?.value })
    guard !known.contains(port.value) else { return [] }
    let list = known.sorted().map(String.init).joined(separator: ", ")
    return [
      never(
        "port \(port.value) is never that of a request: the Gateway has port \(list)", at: port.location, entry.service,
        help: "the port is that of the Gateway's server, not of the socket or the destination")
    ]
  }

  private static func workload(_ entry: GatewayRules.Entry, _ context: AnalysisContext) -> [Diagnostic] {
    let conditions = entry.conditions
    guard conditions.namespace != nil || !conditions.labels.isEmpty else { return [] }
    // Of an instance that only selectors speak of, neither all labels nor the namespace are known.
    let selectors = entry.gateways.map { $0.spec.selector.mapValues(\.value) }
    let instances = context.knownInstances.filter { instance in
      !context.isImplied(instance) && selectors.contains { instance.matches($0) }
    }
    guard selectors.allSatisfy({ selector in instances.contains { $0.matches(selector) } }) else { return [] }
    if let namespace = conditions.namespace, !instances.contains(where: { $0.namespace == namespace.value }) {
      return [
        never(
          "sourceNamespace \(namespace.value) is that of no instance: \(names(instances))", at: namespace.location,
          entry.service, help: "on a gateway the source is the gateway itself, not the client")
      ]
    }
    let labels = conditions.labels.sorted { $0.key < $1.key }
    guard
      let wrong = labels.first(where: { label in !instances.contains { $0.labels[label.key] == label.value.value } })
    else { return [] }
    return [
      never(
        "sourceLabels \(wrong.key)=\(wrong.value.value) are those of no instance: \(names(instances))",
        at: wrong.value.location, entry.service, help: "on a gateway the source is the gateway itself, not the client")
    ]
  }

  private static func names(_ instances: [InstanceIdentity]) -> String {
    let names = instances.map { "\($0.namespace)/\($0.name)" }
    return "the Gateway is for \(names.joined(separator: ", "))"
  }

  /// The scheme is that of the server.
  private static func scheme(_ entry: GatewayRules.Entry) -> [Diagnostic] {
    guard case .exact(let scheme)? = entry.http?.scheme?.kind else { return [] }
    let servers = entry.gateways.flatMap(\.spec.servers).filter(GatewayRules.readsRequests)
    let known = Set(servers.map { GatewayRules.terminatesTLS($0) ? "https" : "http" })
    guard !known.contains(scheme.value), !known.isEmpty else { return [] }
    let lower = scheme.value.lowercased()
    return [
      never(
        "scheme \"\(scheme.value)\" is never that of a request: the servers of the Gateway have \(known.sorted().joined(separator: " and "))",
        at: scheme.location, entry.service, help: known.contains(lower) ? "did you mean \"\(lower)\"?" : nil)
    ]
  }

  private static func never(
    _ message: String, at location: SourceLocation, _ service: Resource<VirtualService>, help: String?
  ) -> Diagnostic {
    MessageCatalog.finding("SP1028", message, at: location, resource: service.description, help: help)
  }
}
