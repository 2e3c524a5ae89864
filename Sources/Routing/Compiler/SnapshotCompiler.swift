import Resources

/// Compiles resources into the snapshot of one instance. A resource that is wrong is left out and said; there is always
/// a snapshot.
package struct SnapshotCompiler {
  /// The snapshot and everything there is to say about it.
  package struct Output {
    package let snapshot: Snapshot
    package let diagnostics: [Diagnostic]
  }

  /// VirtualServices bound to Gateways, server by server, and whether they share a host.
  private typealias Bindings = [(service: Resource<VirtualService>, gateway: String, isMatched: Bool)]

  private let resources: ResourceSet
  private let identity: InstanceIdentity
  private let readinessProbes: [ReadinessProbe]
  private let options: CompilerOptions
  private let readFile: (String) -> [UInt8]?

  /// - Parameter readFile: reads certificate files that Gateway servers name.
  package init(
    _ resources: ResourceSet, identity: InstanceIdentity, readinessProbes: [ReadinessProbe], options: CompilerOptions,
    readFile: @escaping (String) -> [UInt8]?
  ) {
    self.resources = resources
    self.identity = identity
    self.readinessProbes = readinessProbes
    self.options = options
    self.readFile = readFile
  }

  /// Compiles.
  package func compile(generation: Int) -> Output {
    let credentials = CredentialStore(resources, for: identity)
    let clusters = ClusterBuilder(
      registry: ServiceRegistry(resources, for: identity), policies: TrafficPolicyResolver(resources, for: identity),
      credentials: credentials, identity: identity, mesh: localityDefaults, readFile: readFile)
    let listeners = ListenerBuilder(resources, identity: identity, options: options)
    var routes = RouteBuilder(clusters: clusters, identity: identity)
    var diagnostics = listeners.diagnostics
    var delegates = DelegateMerger(resources.virtualServices)
    let services = resources.virtualServices.sorted { $0.orderKey < $1.orderKey }.filter {
      Visibility.reaches(identity.namespace, from: $0.metadata.namespace, $0.spec.exportTo.map(\.value))
    }.map { delegates.merge($0) }
    let policies = TLSPolicyBuilder(credentials: credentials, readFile: readFile)
    var bindings: Bindings = []
    var tcp = TCPChainBuilder(services: services)
    var proxyProtocols = ProxyProtocolBuilder(resources, identity: identity)
    for (index, socket) in listeners.sockets.enumerated() {
      var tcpRoutes = TCPProxyRouteList()
      if socket.isTLS {
        addTLS(socket, Int32(index), services, policies, &tcp, &routes, &bindings, &diagnostics)
      } else if socket.isHTTP {
        addPlaintext(socket, services, &routes, &bindings)
      } else if let server = socket.servers.first {
        tcpRoutes = tcp.tcpRoutes(server, &routes)
      }
      let proxyProtocol = proxyProtocols.policy(for: socket, &routes.parts.proxyProtocols)
      addListener(socket, Int32(index), listeners.sockets, tcpRoutes, proxyProtocol, &routes)
    }
    bindings += tcp.bindings
    tcp.reportIdle(used: Set(bindings.filter(\.isMatched).map(\.service.reference)))
    diagnostics += tcp.diagnostics + proxyProtocols.diagnostics
    let probes = ProbeBuilder(
      clusters: clusters, resources: resources, readinessProbes: readinessProbes, identity: identity)
    var parts = routes.parts
    parts.generation = generation
    parts.identity = identity
    parts.settings = settings()
    parts.clusters = clusters.clusters
    parts.probes = probes.probes
    parts.unmadeProbes = probes.unmade
    diagnostics += delegates.diagnostics
    diagnostics += Self.unmatched(bindings)
    diagnostics += routes.diagnostics + clusters.diagnostics + probes.diagnostics
    if let problem = PublishedPorts.problem(options, resources, instances: [identity]) {
      diagnostics.append(
        MessageCatalog.finding("SP1061", problem, at: nil, resource: nil, help: "write it as LOCAL:GATEWAY"))
    }
    diagnostics += OverlapAnalyzer.analyze(resources, identity: identity, clusters: clusters)
    return Output(snapshot: Snapshot(parts), diagnostics: Self.unique(diagnostics))
  }

  private static func unique(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }
  }

  // MARK: Listeners

  private func addListener(
    _ socket: ListenerBuilder.Socket, _ index: Int32, _ all: [ListenerBuilder.Socket], _ tcpRoutes: TCPProxyRouteList,
    _ proxyProtocol: Int32, _ routes: inout RouteBuilder
  ) {
    let hosts = Set(socket.servers.flatMap(\.hosts))
    let https = all.first { other in
      other.isTLS && other.servers.contains { $0.portProtocol == .https && $0.hosts.contains { hosts.contains($0) } }
    }
    routes.parts.listeners.append(
      Listener(
        kind: socket.isTLS ? .tls : socket.isHTTP ? .http : .tcp, declaredPort: UInt16(clamping: socket.declaredPort),
        bindPort: UInt16(clamping: socket.bindPort),
        routeConfiguration: socket.isHTTP && !socket.isTLS ? Int32(routes.parts.routeConfigurationNames.count - 1) : -1,
        publicPort: publicPort(socket), httpsBindPort: https.map { UInt16(clamping: $0.bindPort) } ?? 0,
        httpsPublicPort: https.map(publicPort) ?? 0, tcpRoutes: tcpRoutes,
        needsClientHello: routes.parts.filterChains.contains { $0.listener == index && $0.network != .http },
        proxyProtocol: proxyProtocol))
    routes.parts.listenerFacts.append(
      ListenerFacts(
        name: "\(socket.address)_\(socket.bindPort)", bindAddress: socket.address, servers: socket.servers.map(\.text)))
  }

  private func publicPort(_ socket: ListenerBuilder.Socket) -> UInt16 {
    UInt16(clamping: options.publish[socket.declaredPort] ?? socket.declaredPort)
  }

  private func addPlaintext(
    _ socket: ListenerBuilder.Socket, _ services: [Resource<VirtualService>], _ routes: inout RouteBuilder,
    _ bindings: inout Bindings
  ) {
    var hosts = VirtualHostBuilder()
    for server in socket.servers { hosts.add(server, services: services, routes: &routes) }
    finish(
      hosts, name: "http.\(socket.declaredPort)" + Self.bindSuffix(socket.servers.first), port: socket.declaredPort,
      &routes, &bindings)
  }

  private func addTLS(
    _ socket: ListenerBuilder.Socket, _ listener: Int32, _ services: [Resource<VirtualService>],
    _ policies: TLSPolicyBuilder, _ tcp: inout TCPChainBuilder, _ routes: inout RouteBuilder,
    _ bindings: inout Bindings, _ diagnostics: inout [Diagnostic]
  ) {
    for server in socket.servers {
      switch server.server.tls?.effectiveMode ?? .passthrough {
      case .passthrough:
        tcp.addPassthrough(server, listener: listener, &routes)
        continue
      case .autoPassthrough:
        tcp.addAutoPassthrough(server, listener: listener, &routes)
        continue
      case .simple, .mutual, .optionalMutual, .istioMutual: break
      }
      let (policy, problems) = policies.policy(for: server)
      diagnostics += problems
      routes.parts.policies.append(policy)
      let policyIndex = Int32(routes.parts.policies.count - 1)
      routes.parts.chainFacts.append(FilterChainFacts(serverNames: server.hosts, server: server.text))
      guard server.portProtocol == .https else {
        let list = tcp.tcpRoutes(server, &routes)
        routes.parts.filterChains.append(
          FilterChain(
            network: .tcp, listener: listener, policy: policyIndex, routeConfiguration: -1, tcpRoutes: list))
        continue
      }
      var hosts = VirtualHostBuilder()
      hosts.add(server, services: services, routes: &routes)
      let name =
        "https.\(server.port).\(server.server.port?.name?.value ?? "").\(server.gateway.metadata.name).\(server.gateway.metadata.namespace)"
        + Self.bindSuffix(server)
      finish(hosts, name: name, port: server.port, &routes, &bindings)
      routes.parts.filterChains.append(
        FilterChain(
          network: .http, listener: listener, policy: policyIndex,
          routeConfiguration: Int32(routes.parts.routeConfigurationNames.count - 1)))
    }
  }

  /// Route configurations of servers with an address of their own are named after it, too (`gatewayRDSRouteName`).
  private static func bindSuffix(_ server: ListenerBuilder.Server?) -> String {
    server?.server.bind.map { ".\($0.value)" } ?? ""
  }

  // MARK: Virtual hosts

  private func finish(
    _ hosts: VirtualHostBuilder, name: String, port: Int, _ routes: inout RouteBuilder, _ bindings: inout Bindings
  ) {
    let configuration = Int32(routes.parts.routeConfigurationNames.count)
    routes.parts.routeConfigurationNames.append(name)
    for domain in hosts.order {
      let rules = hosts.rules(of: domain)
      routes.parts.virtualHosts.append(
        VirtualHost(
          requiresTLS: hosts.hosts[domain]?.requiresTLS ?? false, firstRule: Int32(routes.parts.rules.count),
          ruleCount: Int32(rules.count), index: -1))
      routes.parts.rules += rules
      routes.parts.virtualHostFacts.append(
        VirtualHostFacts(
          name: "\(domain):\(port)", domain: domain, routeConfiguration: configuration,
          virtualServices: hosts.hosts[domain]?.services ?? []))
    }
    bindings += hosts.bindings
  }

  /// A VirtualService that shares a host with none of the servers of a Gateway that it names.
  private static func unmatched(
    _ bindings: [(service: Resource<VirtualService>, gateway: String, isMatched: Bool)]
  ) -> [Diagnostic] {
    let matched = Set(bindings.filter(\.isMatched).map { "\($0.service.reference) \($0.gateway)" })
    return bindings.filter { !matched.contains("\($0.service.reference) \($0.gateway)") }.map { binding in
      let hosts = binding.service.spec.hosts.map(\.value).joined(separator: " ")
      return Diagnostic(
        "IST0132", .warning,
        "one or more host [\(hosts)] defined in VirtualService \(binding.service.reference) not found in Gateway \(binding.gateway).",
        at: binding.service.spec.hosts.first?.location, resource: binding.service.description)
    }
  }

  private var localityDefaults: LocalityPlan.Mesh {
    let meshes = resources.operators.compactMap(\.spec.meshConfig)
    return LocalityPlan.Mesh(
      localityLbSetting: meshes.lazy.compactMap(\.localityLbSetting).last,
      zoneAwareLbSetting: meshes.lazy.compactMap(\.zoneAwareLbSetting).last)
  }

  private func settings() -> InstanceSettings {
    var settings = InstanceSettings()
    for mesh in resources.operators.compactMap(\.spec.meshConfig) {
      if let file = mesh.accessLogFile { settings.accessLogFile = file.value }
      if let encoding = mesh.accessLogEncoding { settings.accessLogIsJSON = encoding.value == .json }
      if let mode = mesh.pathNormalization {
        settings.pathNormalization = .init(rawValue: mode.value.uppercased()) ?? .base
      }
    }
    for config in MeshProxyConfig.all(resources, identity) {
      if let wish = config.gatewayTopology?.forwardClientCertDetails {
        settings.forwardClientCert = .init(rawValue: wish.value.rawValue) ?? .sanitizeSet
      }
    }
    settings.concurrency = concurrency
    return settings
  }

  /// Of the ProxyConfigs that say it: that which selects the instance, else the namespace's, else the mesh's; the oldest.
  private var concurrency: Int? {
    let all = resources.proxyConfigs.sorted { $0.orderKey < $1.orderKey }.filter { $0.spec.concurrency != nil }
    let own = all.filter { $0.metadata.namespace == identity.namespace }
    let selecting = own.first { config in
      config.spec.selector.map { !$0.isEmpty && identity.matches($0.mapValues(\.value)) } ?? false
    }
    let found =
      selecting ?? own.first { $0.spec.selector?.isEmpty ?? true }
      ?? all.first { $0.metadata.namespace == "istio-system" && $0.spec.selector?.isEmpty ?? true }
    return found?.spec.concurrency?.value
  }
}
