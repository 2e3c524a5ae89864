import Resources

/// Makes clusters out of destinations: one for each host, port and subset that a route of this instance names.
final class ClusterBuilder {
  let registry: ServiceRegistry
  let policies: TrafficPolicyResolver
  let credentials: CredentialStore
  /// Reads certificate files that a DestinationRule names.
  let readFile: (String) -> [UInt8]?
  private let identity: InstanceIdentity
  private let mesh: LocalityPlan.Mesh
  private(set) var clusters: [Cluster] = []
  var byName: [String: Int32] = [:]
  /// Clusters whose server name and verified name are their host, for want of a rule that says them.
  private(set) var inferredNames: Set<String> = []
  private(set) var diagnostics: [Diagnostic] = []

  init(
    registry: ServiceRegistry, policies: TrafficPolicyResolver, credentials: CredentialStore,
    identity: InstanceIdentity, mesh: LocalityPlan.Mesh, readFile: @escaping (String) -> [UInt8]?
  ) {
    self.readFile = readFile
    self.registry = registry
    self.identity = identity
    self.mesh = mesh
    self.policies = policies
    self.credentials = credentials
  }

  /// A destination as a rule says it.
  struct Request {
    let host: Located<String>
    let port: Located<Int>?
    let subset: Located<String>?
    /// The namespace of the rule, for short names.
    let namespace: String
    let listenerPort: Int
    /// `VirtualService httpbin/httpbin-egress`
    var resource: String
  }

  /// The index of the cluster, -1 when there is none: the reason is among the diagnostics.
  func cluster(for request: Request) -> Int32 {
    let host = HostName.expand(request.host.value, namespace: request.namespace)
    guard let entry = registry.entry(host) else { return unknownHost(host, request) }
    guard let port = port(of: entry, request), !isDynamic(entry, request) else { return -1 }
    let subset = request.subset?.value ?? ""
    let name = "outbound|\(port.number)|\(subset)|\(host)"
    if let known = byName[name] { return known }
    switch policies.resolve(host: host, serviceNamespace: entry.namespace, port: port.number, subset: subset) {
    case .noSubset(let subsets):
      report(
        "IST0101", .error, "Referenced host+subset in destinationrule not found: \"\(host)+\(subset)\"",
        request.subset?.location, request,
        Suggestion.help(for: subset, among: subsets) ?? policies.elsewhere(host: host, subset: subset))
      return -1
    case .policy(let policy):
      var settings = Cluster.Settings(
        name: name, host: host, port: UInt16(clamping: port.number), subset: subset, discovery: .static)
      fillEndpoints(&settings, entry, port, policy, request)
      fillPolicy(&settings, policy, entry, request)
      settings.httpProtocol = httpProtocol(of: port, policy)
      let isInferred = policy.tls?.sni == nil && !(settings.tls?.insecureSkipVerify ?? true)
      if settings.tls?.verifiedHost != nil, isInferred { inferredNames.insert(name) }
      return add(settings)
    }
  }

  /// `DYNAMIC_DNS` would dial whatever host a client names. In Istio it is for sidecars and waypoints; here it is refused
  /// where a rule of this instance leads there, and left alone elsewhere.
  private func isDynamic(_ entry: ServiceRegistry.Entry, _ request: Request) -> Bool {
    guard case .entry(let resource) = entry.origin, resource.spec.effectiveResolution == .dynamicDNS else {
      return false
    }
    report(
      "SP1012", .error,
      "ServiceEntry \(resource.reference) has resolution DYNAMIC_DNS, which a gateway does not support: requests for \"\(entry.host)\" get 503",
      resource.spec.resolution?.location ?? resource.location, request,
      "declare the hosts one by one with resolution DNS, or give the wildcard endpoints with resolution DNS or STATIC")
    return true
  }

  func add(_ settings: Cluster.Settings) -> Int32 {
    let index = Int32(clusters.count)
    clusters.append(Cluster(settings: settings, index: index))
    byName[settings.name] = index
    return index
  }

  /// Says something of the resource that the request names, once.
  func report(
    _ code: String, _ severity: Diagnostic.Severity, _ message: String, _ location: SourceLocation?, _ request: Request,
    _ help: String? = nil
  ) {
    let diagnostic = Diagnostic(code, severity, message, at: location, resource: request.resource, help: help)
    if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
  }

  // MARK: Hosts and ports

  /// A mesh-internal host without a Service in the configuration is left to the name service; others must be declared.
  private func unknownHost(_ host: String, _ request: Request) -> Int32 {
    guard HostName.isInMesh(host), let port = request.port?.value, request.subset == nil else {
      report(
        "IST0101", .error, "Referenced host not found: \"\(request.host.value)\"", request.host.location, request,
        hidden(host) ?? completed(host) ?? Suggestion.help(for: host, among: registry.hosts)
          ?? "declare it with a ServiceEntry")
      return -1
    }
    let name = "outbound|\(port)||\(host)"
    if let known = byName[name] { return known }
    report(
      "SP1011", .info, "host \"\(host)\" is not in the configuration: its addresses are those of the name service",
      request.host.location, request)
    var settings = Cluster.Settings(
      name: name, host: host, port: UInt16(clamping: port), subset: "", discovery: .strictDNS)
    settings.dnsNames = [.init(name: host, port: UInt16(clamping: port), weight: 1)]
    return add(settings)
  }

  /// The Service that `web.default` or `web.default.svc` means: only names without a dot are completed.
  private func completed(_ host: String) -> String? {
    HostName.completions(of: host).first { registry.entry($0) != nil }.map { name in
      "did you mean \"\(name)\"? Only a name without a dot is completed"
    }
  }

  /// Who declares a host without exporting it.
  private func hidden(_ host: String) -> String? {
    registry.hidden.first { $0.host == host }.map { entry in
      let reference: String =
        switch entry.origin {
        case .kubernetes(let service): service.description
        case .entry(let resource): resource.description
        }
      return "\(reference) has it, and exports it to \(entry.exportTo.joined(separator: ", ")) alone"
    }
  }

  private func port(of entry: ServiceRegistry.Entry, _ request: Request) -> ServiceRegistry.Port? {
    if let wanted = request.port {
      if let port = entry.ports.first(where: { $0.number == wanted.value }) { return port }
      let known = entry.ports.map { String($0.number) }.joined(separator: ", ")
      report(
        "IST0101", .error, "Referenced host:port not found: \"\(entry.host):\(wanted.value)\"", wanted.location,
        request, "the host has \(known.isEmpty ? "no ports" : "port \(known)")")
      return nil
    }
    if entry.ports.count == 1 { return entry.ports[0] }
    if let same = entry.ports.first(where: { $0.number == request.listenerPort }) { return same }
    report(
      "IST0112", .error,
      Self.ambiguousPort(entry), request.host.location, request)
    return nil
  }

  /// Istio's words for a destination without a port where there are several.
  static func ambiguousPort(_ entry: ServiceRegistry.Entry) -> String {
    let ports = entry.ports.map { String($0.number) }.joined(separator: " ")
    return
      "This VirtualService routes to a service \"\(entry.host)\" that exposes multiple ports [\(ports)]. Specifying a port in the destination is required to disambiguate."
  }

  // MARK: Endpoints

  func fillEndpoints(
    _ settings: inout Cluster.Settings, _ entry: ServiceRegistry.Entry, _ port: ServiceRegistry.Port,
    _ policy: TrafficPolicyResolver.Effective, _ request: Request
  ) {
    let plan = localityPlan(policy, entry)
    if let location = plan.helpless {
      report(
        "SP1060", .warning,
        "the locality of the instance is not known: endpoints of \"\(settings.host)\" are all alike",
        location, request, "say it with --label topology.kubernetes.io/region=… and topology.kubernetes.io/zone=…")
    }
    switch entry.origin {
    case .kubernetes(let service): fillFromService(&settings, service, port, policy.labels, plan)
    case .entry(let resource):
      settings.isExternal = resource.spec.location == .external
      fillFromEntry(&settings, resource, port, policy.labels, plan, request)
    }
    plan.finish(&settings)
  }

  private func localityPlan(
    _ policy: TrafficPolicyResolver.Effective, _ entry: ServiceRegistry.Entry
  ) -> LocalityPlan {
    var sources = LocalityPlan.Sources(
      rule: policy.loadBalancer, hasOutlierDetection: policy.outlierDetection != nil, mesh: mesh)
    if case .kubernetes(let service) = entry.origin {
      sources.trafficDistribution =
        service.metadata.annotations["networking.istio.io/traffic-distribution"] ?? service.spec.trafficDistribution
    }
    return LocalityPlan(for: identity, sources)
  }

  private func fillFromService(
    _ settings: inout Cluster.Settings, _ service: Resource<Service>, _ port: ServiceRegistry.Port,
    _ labels: [String: String], _ plan: LocalityPlan
  ) {
    let number = UInt16(clamping: port.number)
    if let external = service.spec.externalName {
      settings.discovery = .strictDNS
      settings.dnsNames = [.init(name: external, port: number, weight: 1)]
      return
    }
    settings.discovery = .endpoints
    let slices = registry.slices.filter {
      $0.metadata.namespace == service.metadata.namespace && $0.spec.service == service.metadata.name
    }
    for slice in slices where isSubset(labels, of: slice.metadata.labels) {
      guard let target = slice.spec.ports.first(where: { $0.name == port.name }) ?? single(slice.spec.ports) else {
        continue
      }
      for endpoint in slice.spec.endpoints where endpoint.isReady {
        let locality = locality(ofZone: endpoint.zone)
        let labels = endpoint.node.map { ["kubernetes.io/hostname": $0] } ?? [:]
        let rank = plan.rank(locality: locality, labels: labels)
        settings.endpoints += endpoint.addresses.map {
          var endpoint = Cluster.Endpoint(
            address: $0, port: UInt16(clamping: target.port), weight: 1, locality: locality)
          endpoint.priority = rank
          return endpoint
        }
      }
    }
    addWorkloads(
      &settings, selector: service.spec.selector, namespace: service.metadata.namespace, port, labels, plan)
    guard slices.isEmpty, settings.endpoints.isEmpty, settings.dnsNames.isEmpty else { return }
    // Without an API server there may be no EndpointSlice: the Service's own address, or its name.
    if let address = service.spec.clusterIP, address != "None", !address.isEmpty {
      settings.endpoints = [.init(address: address, port: number, weight: 1, locality: "")]
    } else {
      settings.discovery = .strictDNS
      // The name of a headless Service is that of its pods, which no address in front of them translates ports for.
      let target = service.spec.clusterIP == "None" ? port.targetPort ?? port.number : port.number
      settings.dnsNames = [.init(name: settings.host, port: UInt16(clamping: target), weight: 1)]
    }
  }

  /// An EndpointSlice says the zone alone. Clouds name zones after their region: one that begins as the instance's
  /// region is in it.
  private func locality(ofZone zone: String?) -> String {
    guard let zone, !zone.isEmpty else { return "" }
    let own = identity.locality
    let isNear = own.map { $0.zone == zone || !$0.region.isEmpty && zone.hasPrefix($0.region) } ?? false
    return "\(isNear ? own?.region ?? "" : "")/\(zone)"
  }

  private func single(_ ports: [(name: String, port: Int)]) -> (name: String, port: Int)? {
    ports.count == 1 ? ports[0] : nil
  }

  private func isSubset(_ labels: [String: String], of all: [String: String]) -> Bool {
    labels.allSatisfy { all[$0.key] == $0.value }
  }

  private func fillFromEntry(
    _ settings: inout Cluster.Settings, _ resource: Resource<ServiceEntry>, _ port: ServiceRegistry.Port,
    _ labels: [String: String], _ plan: LocalityPlan, _ request: Request
  ) {
    let spec = resource.spec
    let target = UInt16(clamping: port.targetPort ?? port.number)
    switch spec.effectiveResolution {
    case .static: settings.discovery = .static
    case .dns: settings.discovery = .strictDNS
    case .dnsRoundRobin: settings.discovery = .logicalDNS
    case .none, .dynamicDNS:
      settings.discovery = .static
      report(
        "SP1012", .warning,
        "ServiceEntry \(resource.reference) has resolution \(spec.effectiveResolution.rawValue), which has no endpoints on a gateway: requests for \"\(settings.host)\" get 503",
        spec.resolution?.location ?? spec.hosts.first?.location ?? resource.location, request)
    }
    for endpoint in spec.endpoints where isSubset(labels, of: endpoint.labels) {
      addEndpoint(&settings, endpoint, endpoint.labels, port, target, plan)
    }
    if let selector = spec.workloadSelector {
      addWorkloads(
        &settings, selector: selector.mapValues(\.value), namespace: resource.metadata.namespace, port, labels,
        plan)
    }
    let hasImplicitEndpoint = spec.endpoints.isEmpty && spec.workloadSelector == nil && labels.isEmpty
    if hasImplicitEndpoint, settings.discovery != .static, !settings.host.hasPrefix("*") {
      settings.dnsNames = [.init(name: settings.host, port: target, weight: 1)]
    }
    guard labels.isEmpty, settings.endpoints.isEmpty, settings.dnsNames.isEmpty, spec.effectiveResolution != .none,
      spec.effectiveResolution != .dynamicDNS
    else { return }
    let reason =
      spec.workloadSelector == nil
      ? "has resolution \(spec.effectiveResolution.rawValue) and no endpoints"
      : "selects no WorkloadEntry in namespace \(resource.metadata.namespace)"
    report(
      "SP1012", .warning, "ServiceEntry \(resource.reference) \(reason): requests for \"\(settings.host)\" get 503",
      spec.workloadSelector?.values.map(\.location).min { ($0.line, $0.column) < ($1.line, $1.column) }
        ?? spec.resolution?.location ?? resource.location, request)
  }

  private func addWorkloads(
    _ settings: inout Cluster.Settings, selector: [String: String], namespace: String, _ port: ServiceRegistry.Port,
    _ labels: [String: String], _ plan: LocalityPlan
  ) {
    guard !selector.isEmpty else { return }
    for workload in registry.workloads where workload.metadata.namespace == namespace {
      let all = workload.spec.labels.merging(workload.metadata.labels) { first, _ in first }
      guard isSubset(selector, of: all), isSubset(labels, of: all) else { continue }
      addEndpoint(&settings, workload.spec, all, port, UInt16(clamping: port.targetPort ?? port.number), plan)
    }
  }

  private func addEndpoint(
    _ settings: inout Cluster.Settings, _ endpoint: WorkloadEntry, _ labels: [String: String],
    _ port: ServiceRegistry.Port, _ target: UInt16, _ plan: LocalityPlan
  ) {
    guard let address = endpoint.address?.value else { return }
    let own = endpoint.ports[port.name] ?? port.targetName.flatMap { endpoint.ports[$0] }
    let number = own.map { UInt16(clamping: $0.value) } ?? target
    let weight = UInt32(clamping: max(1, endpoint.weight?.value ?? 1))
    let locality = endpoint.locality?.value ?? Locality(labels: labels)?.text ?? ""
    let rank = plan.rank(locality: locality, labels: labels)
    if endpoint.isUnix || HostRules.isIPLiteral(address) {
      let number = endpoint.isUnix ? 0 : number
      settings.endpoints.append(.init(address: address, port: number, weight: weight, locality: locality))
      settings.endpoints[settings.endpoints.count - 1].priority = rank
    } else {
      settings.dnsNames.append(.init(name: address, port: number, weight: weight, locality: locality))
      settings.dnsNames[settings.dnsNames.count - 1].priority = rank
      if settings.discovery != .logicalDNS { settings.discovery = .strictDNS }
    }
  }

  // MARK: Policy

  /// HTTP/2 where the port says so, or the DestinationRule upgrades a port that says HTTP (`cluster_traffic_policy.go`).
  private func httpProtocol(
    of port: ServiceRegistry.Port, _ policy: TrafficPolicyResolver.Effective
  ) -> Cluster.HTTPProtocol {
    if policy.connectionPool?.useClientProtocol?.value == true { return .asDownstream }
    switch port.kind {
    case .http2, .grpc, .grpcWeb: return .http2
    case .http: return policy.connectionPool?.h2UpgradePolicy?.value == .upgrade ? .http2 : .http1
    default: return .http1
    }
  }

  func fillPolicy(
    _ settings: inout Cluster.Settings, _ policy: TrafficPolicyResolver.Effective, _ entry: ServiceRegistry.Entry,
    _ request: Request
  ) {
    settings.destinationRule = policy.rule.map { "\($0.metadata.name).\($0.metadata.namespace)" }
    switch policy.loadBalancer?.simple?.value {
    case .roundRobin: settings.loadBalancing = .roundRobin
    case .random: settings.loadBalancing = .random
    default: settings.loadBalancing = .leastRequest
    }
    if let pool = policy.connectionPool {
      if let timeout = pool.connectTimeout { settings.connectTimeoutMilliseconds = Int32(clamping: timeout.value) }
      if let idle = pool.httpIdleTimeout ?? pool.tcpIdleTimeout {
        settings.idleTimeoutMilliseconds = Int32(clamping: idle.value)
      }
      if let idle = pool.tcpIdleTimeout { settings.tcpIdleTimeoutMilliseconds = Int32(clamping: idle.value) }
      settings.maxRequestsPerConnection = pool.maxRequestsPerConnection?.value ?? 0
      if let most = pool.maxConcurrentStreams?.value, most > 0 { settings.maxConcurrentStreams = most }
      if let keepAlive = pool.http2KeepAlive, let interval = keepAlive.interval, let timeout = keepAlive.timeout {
        settings.http2KeepAlive = .init(interval: Int64(interval.value), timeout: Int64(timeout.value))
      }
    }
    Self.fill(&settings, from: policy)
    switch policy.proxyProtocol {
    case .v1: settings.proxyProtocol = .v1
    case .v2: settings.proxyProtocol = .v2
    case nil: break
    }
    settings.tunnel = policy.tunnel.flatMap(Self.tunnel)
    let sans: [String] =
      if case .entry(let resource) = entry.origin { resource.spec.subjectAltNames.map(\.value) } else { [] }
    // What is wrong with TLS is wrong in the DestinationRule.
    var owner = request
    if let rule = policy.rule { owner.resource = rule.description }
    settings.tls = policy.tls.flatMap { originate($0, host: settings.host, entrySANs: sans, owner) }
  }

  private static func tunnel(_ settings: TunnelSettings) -> Cluster.Tunnel? {
    guard let host = settings.targetHost?.value, let port = settings.targetPort?.value else { return nil }
    return Cluster.Tunnel(
      usesPOST: settings.protocolName?.value == "POST",
      target: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
  }
}
