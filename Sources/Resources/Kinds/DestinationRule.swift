/// networking.istio.io DestinationRule: how a host is spoken to.
package struct DestinationRule: Sendable {
  package struct Subset: Sendable {
    package var name: Located<String>?
    package var labels: [String: Located<String>]
    package var trafficPolicy: TrafficPolicy?

    init(_ reader: FieldReader) {
      name = reader.string("name")
      labels = reader.stringMap("labels")
      trafficPolicy = reader.object("trafficPolicy", TrafficPolicy.init)
      reader.require(name.map { !$0.value.isEmpty } ?? false, "subset name cannot be empty")
    }
  }

  package var host: Located<String>?
  package var trafficPolicy: TrafficPolicy?
  package var subsets: [Subset]
  package var exportTo: [Located<String>]
  package var workloadSelector: [String: Located<String>]?

  init(_ reader: FieldReader) {
    host = reader.string("host")
    trafficPolicy = reader.object("trafficPolicy", TrafficPolicy.init)
    subsets = reader.objects("subsets", Subset.init)
    exportTo = reader.strings("exportTo")
    workloadSelector = reader.object("workloadSelector") { $0.stringMap("matchLabels") }
    reader.require(host.map { !$0.value.isEmpty } ?? false, "destination rule host cannot be empty")
    if let host, let problem = HostRules.problem(with: host.value, allowsWildcard: true),
      !HostRules.isIPLiteral(host.value)
    {
      reader.context.error(problem, at: host.location)
    }
    var seen: Set<String> = []
    for name in subsets.compactMap(\.name) where !seen.insert(name.value).inserted {
      reader.context.error("duplicate subset names: \(name.value)", at: name.location)
    }
  }
}

/// `trafficPolicy` of a rule or a subset, and one entry of `portLevelSettings`.
package struct TrafficPolicy: Sendable {
  package struct PortLevel: Sendable {
    package var port: Located<Int>?
    package var policy: TrafficPolicy
  }

  package var location: SourceLocation
  package var loadBalancer: LoadBalancerSettings?
  package var connectionPool: ConnectionPoolSettings?
  /// Where `outlierDetection` stands; it is not acted on.
  package var outlierDetection: SourceLocation?
  package var tls: ClientTLSSettings?
  package var portLevelSettings: [PortLevel]

  init(_ reader: FieldReader) {
    self.init(reader, isPortLevel: false)
  }

  private init(_ reader: FieldReader, isPortLevel: Bool) {
    location = reader.location
    loadBalancer = reader.object("loadBalancer", LoadBalancerSettings.init)
    connectionPool = reader.object("connectionPool", ConnectionPoolSettings.init)
    outlierDetection = reader.keyLocation("outlierDetection")
    tls = reader.object("tls", ClientTLSSettings.init)
    reader.notActedOn("outlierDetection")
    portLevelSettings = []
    guard !isPortLevel else { return }
    reader.notActedOn("tunnel", "proxyProtocol", "retryBudget")
    portLevelSettings = reader.objects("portLevelSettings") { entry in
      let port = entry.object("port") { $0.integer("number") } ?? nil
      entry.require(port != nil, "portTrafficPolicy must have valid port")
      return PortLevel(port: port, policy: TrafficPolicy(entry, isPortLevel: true))
    }
    let isEmpty =
      loadBalancer == nil && connectionPool == nil && tls == nil && portLevelSettings.isEmpty && outlierDetection == nil
      && !reader.has("tunnel") && !reader.has("proxyProtocol") && !reader.has("retryBudget")
    reader.require(!isEmpty, "traffic policy must have at least one field")
  }
}

/// `loadBalancer`
package struct LoadBalancerSettings: Sendable {
  package enum Simple: String, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case leastConnections = "LEAST_CONN"
    case random = "RANDOM"
    case passthrough = "PASSTHROUGH"
    case roundRobin = "ROUND_ROBIN"
    case leastRequest = "LEAST_REQUEST"
  }

  package var simple: Located<Simple>?

  init(_ reader: FieldReader) {
    simple = reader.enumeration("simple")
    if simple != nil, reader.has("consistentHash") {
      reader.context.error("only one of simple, consistentHash can be set", at: reader.location)
    }
    reader.notActedOn("consistentHash", "localityLbSetting", "zoneAwareLbSetting", "warmup", "warmupDurationSecs")
  }
}

/// `connectionPool`
package struct ConnectionPoolSettings: Sendable {
  package var connectTimeout: Located<Int>?
  package var tcpIdleTimeout: Located<Int>?
  package var httpIdleTimeout: Located<Int>?
  package var maxRequestsPerConnection: Located<Int>?

  init(_ reader: FieldReader) {
    let tcp = reader.object("tcp") { tcp in
      tcp.notActedOn("maxConnections", "maxConnectionDuration", "tcpKeepalive")
      return (tcp.duration("connectTimeout"), tcp.duration("idleTimeout", minimumMilliseconds: 0))
    }
    connectTimeout = tcp?.0
    tcpIdleTimeout = tcp?.1
    let http = reader.object("http") { http in
      http.notActedOn(
        "http1MaxPendingRequests", "http2MaxRequests", "maxRetries", "h2UpgradePolicy", "useClientProtocol",
        "maxConcurrentStreams", "http2KeepAlive")
      return (http.duration("idleTimeout", minimumMilliseconds: 0), http.integer("maxRequestsPerConnection"))
    }
    httpIdleTimeout = http?.0
    maxRequestsPerConnection = http?.1
    reader.require(tcp != nil || http != nil, "connection pool must have at least one field")
    if let limit = maxRequestsPerConnection, limit.value < 0 {
      reader.context.error("max requests per connection must be non-negative", at: limit.location)
    }
  }
}

/// `tls` of a traffic policy: how TLS is originated.
package struct ClientTLSSettings: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    case disable = "DISABLE"
    case simple = "SIMPLE"
    case mutual = "MUTUAL"
    case istioMutual = "ISTIO_MUTUAL"
  }

  package var location: SourceLocation
  package var mode: Located<Mode>?
  package var clientCertificate: Located<String>?
  package var privateKey: Located<String>?
  package var caCertificates: Located<String>?
  package var caCrl: Located<String>?
  package var credentialName: Located<String>?
  package var subjectAltNames: [Located<String>]
  package var sni: Located<String>?
  package var insecureSkipVerify: Located<Bool>?

  init(_ reader: FieldReader) {
    location = reader.location
    mode = reader.enumeration("mode")
    clientCertificate = reader.string("clientCertificate")
    privateKey = reader.string("privateKey")
    caCertificates = reader.string("caCertificates")
    caCrl = reader.string("caCrl")
    credentialName = reader.string("credentialName")
    subjectAltNames = reader.strings("subjectAltNames")
    sni = reader.string("sni")
    insecureSkipVerify = reader.boolean("insecureSkipVerify")
    check(reader.context)
  }

  /// The mode in force.
  package var effectiveMode: Mode { mode?.value ?? .disable }

  private func check(_ context: DecodingContext) {
    if credentialName != nil, clientCertificate != nil || caCertificates != nil || caCrl != nil || privateKey != nil {
      context.error(
        "cannot specify client certificates or CA certificate or CA CRL If credentialName is set", at: location)
    }
    if effectiveMode == .mutual, credentialName == nil {
      if clientCertificate == nil { context.error("client certificate required for mutual tls", at: location) }
      if privateKey == nil { context.error("private key required for mutual tls", at: location) }
    }
    guard insecureSkipVerify?.value == true else { return }
    if effectiveMode == .simple, caCertificates != nil || credentialName != nil || !subjectAltNames.isEmpty {
      context.error(
        "cannot specify CaCertificates or CredentialName or SubjectAltNames when InsecureSkipVerify is set true",
        at: location)
    } else if effectiveMode == .mutual, caCertificates != nil || !subjectAltNames.isEmpty {
      context.error(
        "cannot specify CaCertificates or SubjectAltNames when InsecureSkipVerify is set true", at: location)
    }
  }
}
