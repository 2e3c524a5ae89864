import Resources

/// Finds the probes of an instance: UpstreamProbes of hosts that it routes to, and readiness probes of its own
/// resources whose `exec` fetches such a host with curl.
struct ProbeBuilder {
  let clusters: [Cluster]
  private(set) var probes: [Probe] = []

  init(clusters: [Cluster], resources: ResourceSet, readinessProbes: [ReadinessProbe], identity: InstanceIdentity) {
    self.clusters = clusters
    for resource in resources.probes.sorted(by: { $0.orderKey < $1.orderKey }) { add(resource) }
    for probe in readinessProbes {
      for url in probe.curledURLs { add(url, probe, identity) }
    }
  }

  private mutating func add(_ resource: Resource<UpstreamProbe>) {
    let spec = resource.spec
    guard let host = spec.host?.value, let port = spec.port?.value, let probe = spec.probe else { return }
    let name = HostName.expand(host, namespace: resource.metadata.namespace)
    guard let cluster = cluster(name, port, spec.subset?.value) else { return }
    var result: Probe
    if let get = probe.httpGet {
      let override = get.port.flatMap { $0.value == port ? nil : UInt16(clamping: $0.value) }
      let usesTLS = override == nil ? cluster.settings.tls != nil : get.scheme?.uppercased() == "HTTPS"
      let authority = get.host ?? name
      let speaksHTTP2 = override == nil && cluster.settings.httpProtocol == .http2
      result = Probe(
        name: resource.reference, cluster: cluster.index,
        kind: speaksHTTP2
          ? .http2Get(Self.http2Request(get.path, authority: authority, headers: get.headers))
          : .httpGet(request: Self.request(get.path, authority: authority, headers: get.headers)),
        target: "GET \(usesTLS ? "https" : "http")://\(authority):\(override.map(Int.init) ?? port)\(get.path)",
        usesClusterTLS: usesTLS)
      result.portOverride = override
    } else if let grpc = probe.grpc {
      let override = grpc.port.flatMap { $0.value == port ? nil : UInt16(clamping: $0.value) }
      result = Probe(
        name: resource.reference, cluster: cluster.index, kind: .grpc(service: grpc.service, authority: name),
        target:
          "gRPC health of \(grpc.service.isEmpty ? "the server" : "\"\(grpc.service)\"") at \(name):\(override.map(Int.init) ?? port)",
        usesClusterTLS: cluster.settings.tls != nil)
      result.portOverride = override
    } else {
      result = Probe(
        name: resource.reference, cluster: cluster.index, kind: .tcpSocket, target: "connect to \(name):\(port)",
        usesClusterTLS: cluster.settings.tls != nil)
    }
    result.gatesReadiness = spec.gates.contains(.readiness)
    result.gatesLoadBalancing = spec.gates.contains(.loadBalancing)
    result.minHealthyPercent = spec.minHealthyPercent
    append(result, timings: probe)
  }

  /// A URL that a readiness probe fetches becomes a probe with the same timings.
  private mutating func add(_ url: String, _ probe: ReadinessProbe, _ identity: InstanceIdentity) {
    guard let parts = URLParts(url), let cluster = cluster(parts.host, parts.port, nil) else { return }
    var result = Probe(
      name: "\(identity.namespace)/\(identity.name)-readiness", cluster: cluster.index,
      kind: .httpGet(request: Self.request(parts.path, authority: parts.host, headers: [])), target: "GET \(url)",
      usesClusterTLS: cluster.settings.tls != nil)
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

  private static func request(_ path: String, authority: String, headers: [(name: String, value: String)]) -> [UInt8] {
    var text =
      "GET \(path) HTTP/1.1\r\nhost: \(authority)\r\nuser-agent: sallyport-probe\r\naccept: */*\r\nconnection: close\r\n"
    for header in headers where !header.name.isEmpty { text += "\(header.name): \(header.value)\r\n" }
    return Array((text + "\r\n").utf8)
  }

  private static func http2Request(
    _ path: String, authority: String, headers: [(name: String, value: String)]
  ) -> Probe.HTTP2Request {
    // What HTTP/2 forbids or says otherwise is left out (RFC 9113, section 8.2.2).
    let forbidden = ["", "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"]
    let own = headers.map { Probe.HTTP2Request.Field(name: $0.name.lowercased(), value: $0.value) }
    return Probe.HTTP2Request(
      path: path, authority: authority,
      fields: [.init(name: "user-agent", value: "sallyport-probe"), .init(name: "accept", value: "*/*")]
        + own.filter { !forbidden.contains($0.name) })
  }

  /// The parts of an http or https URL.
  private struct URLParts {
    let host: String
    let port: Int
    let path: String

    init?(_ url: String) {
      let isTLS = url.hasPrefix("https://")
      let rest = url.dropFirst(isTLS ? 8 : 7)
      let authority = rest.prefix { $0 != "/" && $0 != "?" }
      path = rest.count > authority.count ? String(rest.dropFirst(authority.count)) : "/"
      let colon = authority.lastIndex(of: ":")
      host = String(colon.map { authority[..<$0] } ?? authority).lowercased()
      port = colon.flatMap { Int(authority[authority.index(after: $0)...]) } ?? (isTLS ? 443 : 80)
      guard !host.isEmpty else { return nil }
    }
  }
}
