import Resources

/// Finds the probes of an instance: UpstreamProbes of hosts that it routes to, and readiness probes of its own
/// resources whose `exec` asks such a host with curl.
struct ProbeBuilder {
  private let clusters: [Cluster]
  private let targets: ProbeTargets
  private let identity: InstanceIdentity
  private(set) var probes: [Probe] = []
  /// UpstreamProbes of this instance that cannot be made.
  private(set) var unmade: [UnmadeProbe] = []
  private(set) var diagnostics: [Diagnostic] = []

  init(
    clusters: ClusterBuilder, resources: ResourceSet, readinessProbes: [ReadinessProbe], identity: InstanceIdentity
  ) {
    self.clusters = clusters.clusters
    self.identity = identity
    targets = ProbeTargets(clusters: clusters, identity: identity)
    for resource in resources.probes.sorted(by: { $0.orderKey < $1.orderKey }) { add(resource) }
    for probe in readinessProbes { add(probe) }
  }

  // MARK: UpstreamProbes

  private mutating func add(_ resource: Resource<UpstreamProbe>) {
    let spec = resource.spec
    guard let host = spec.host?.value, let port = spec.port?.value, let probe = spec.probe else { return }
    let name = HostName.expand(host, namespace: resource.metadata.namespace)
    guard let cluster = cluster(name, port, spec.subset?.value) else { return explainAbsence(of: resource, name) }
    var result: Probe
    if let get = probe.httpGet {
      let override = Self.override(get.port, port)
      let usesTLS = override == nil ? cluster.settings.tls != nil : get.scheme?.uppercased() == "HTTPS"
      let request = ProbeRequest(path: get.path, authority: get.host ?? name, fields: get.headers)
      result = Probe(
        name: resource.reference, cluster: cluster.index,
        kind: request.kind(inHTTP2: override == nil && cluster.settings.httpProtocol == .http2),
        target:
          "GET \(usesTLS ? "https" : "http")://\(request.authority):\(override.map(Int.init) ?? port)\(get.path)",
        usesClusterTLS: usesTLS)
      result.portOverride = override
    } else if let grpc = probe.grpc {
      let override = Self.override(grpc.port, port)
      result = Probe(
        name: resource.reference, cluster: cluster.index, kind: .grpc(service: grpc.service, authority: name),
        target:
          "gRPC health of \(grpc.service.isEmpty ? "the server" : "\"\(grpc.service)\"") at \(name):\(override.map(Int.init) ?? port)",
        usesClusterTLS: cluster.settings.tls != nil)
      result.portOverride = override
    } else {
      let override = Self.override(probe.tcpPort, port)
      result = Probe(
        name: resource.reference, cluster: cluster.index, kind: .tcpSocket,
        target: "connect to \(name):\(override.map(Int.init) ?? port)",
        // What listens at another port is not known to speak TLS, and a connection is all that is asked for.
        usesClusterTLS: override == nil && cluster.settings.tls != nil)
      result.portOverride = override
    }
    result.gatesReadiness = spec.gates.contains(.readiness)
    result.gatesLoadBalancing = spec.gates.contains(.loadBalancing)
    result.minHealthyPercent = spec.minHealthyPercent
    append(result, timings: probe)
  }

  /// A port other than that of traffic.
  private static func override(_ wanted: Located<Int>?, _ port: Int) -> UInt16? {
    wanted.flatMap { $0.value == port ? nil : UInt16(clamping: $0.value) }
  }

  private mutating func explainAbsence(of resource: Resource<UpstreamProbe>, _ name: String) {
    let problems = targets.problems(of: resource, host: name)
    diagnostics += problems.diagnostics
    guard problems.isOurs, let first = problems.diagnostics.first else { return }
    unmade.append(
      UnmadeProbe(
        name: resource.reference, reason: first.message, gatesReadiness: resource.spec.gates.contains(.readiness)))
  }

  // MARK: Readiness probes

  /// What a readiness probe asks for with curl becomes probes with the same timings; what else it does is said.
  private mutating func add(_ probe: ReadinessProbe) {
    let reading = probe.curl
    for part in reading.ignored { report("\(part) is not acted on", probe) }
    for request in reading.requests { add(request, probe) }
  }

  private mutating func report(
    _ message: String, _ probe: ReadinessProbe, code: String = "SP1001", help: String? = nil
  ) {
    diagnostics.append(
      MessageCatalog.finding(
        code, "readiness probe of \(identity.namespace)/\(identity.name): \(message)",
        at: probe.command.last?.location ?? probe.location, resource: nil,
        help: help ?? "say with an UpstreamProbe what readiness is to follow"))
  }

  private mutating func add(_ request: CurlCommand.Request, _ probe: ReadinessProbe) {
    guard let parts = URLParts(request.url) else { return report("\(request.url) is not acted on", probe) }
    guard let cluster = cluster(parts.host, parts.port, nil) else {
      return report(
        "\(request.url) is not acted on, no rule of the instance leads to \(parts.host):\(parts.port)", probe,
        code: "SP1064",
        help: "route to it, or let an UpstreamProbe name a host that the instance routes to")
    }
    let host = request.fields.first { $0.name.lowercased() == "host" }?.value
    let question = ProbeRequest(
      method: request.method ?? "GET", path: parts.path, authority: host ?? parts.host, fields: request.fields)
    var result = Probe(
      name: "\(identity.namespace)/\(identity.name)-readiness", cluster: cluster.index,
      kind: question.kind(inHTTP2: cluster.settings.httpProtocol == .http2),
      target: "\(question.method) \(request.url)", usesClusterTLS: cluster.settings.tls != nil)
    result.gatesLoadBalancing = false
    append(result, timings: probe)
  }

  private mutating func append(_ probe: Probe, timings: ReadinessProbe) {
    var probe = probe
    probe.initialDelaySeconds = timings.initialDelaySeconds
    probe.periodSeconds = timings.periodSeconds
    probe.timeoutSeconds = timings.timeoutSeconds
    probe.successThreshold = timings.successThreshold
    probe.failureThreshold = timings.failureThreshold
    probes.append(probe)
  }

  private func cluster(_ host: String, _ port: Int, _ subset: String?) -> Cluster? {
    clusters.first {
      $0.host == host && Int($0.settings.port) == port && (subset == nil || $0.settings.subset == subset)
    }
  }

  /// The parts of an http or https URL.
  private struct URLParts {
    let host: String
    let port: Int
    let path: String

    init?(_ url: String) {
      guard url.hasPrefix("https://") || url.hasPrefix("http://") else { return nil }
      let isTLS = url.hasPrefix("https://")
      let rest = url.dropFirst(isTLS ? 8 : 7).prefix { $0 != "#" }
      let authority = rest.prefix { $0 != "/" && $0 != "?" }
      let target = rest.dropFirst(authority.count)
      path = target.isEmpty ? "/" : target.hasPrefix("/") ? String(target) : "/\(target)"
      let colon = authority.lastIndex(of: ":")
      host = String(colon.map { authority[..<$0] } ?? authority).lowercased()
      let port = colon.map { Int(authority[authority.index(after: $0)...]) } ?? (isTLS ? 443 : 80)
      guard !host.isEmpty, let port else { return nil }
      self.port = port
    }
  }
}
