/// `trafficPolicy` of a rule or a subset, and one entry of `portLevelSettings`.
package struct TrafficPolicy: Sendable {
  package struct PortLevel: Sendable {
    package var port: Located<Int>?
    package var policy: TrafficPolicy
  }

  package var location: SourceLocation
  package var loadBalancer: LoadBalancerSettings?
  package var connectionPool: ConnectionPoolSettings?
  package var outlierDetection: OutlierDetection?
  package var tls: ClientTLSSettings?
  package var portLevelSettings: [PortLevel]
  package var tunnel: TunnelSettings?
  package var proxyProtocol: Located<ProxyProtocolVersion>?
  package var retryBudget: RetryBudget?

  init(_ reader: FieldReader) {
    self.init(levelOf: reader)
    tunnel = reader.object("tunnel", TunnelSettings.init)
    proxyProtocol = reader.object("proxyProtocol") { $0.enumeration("version") ?? Located(.v1, at: $0.location) }
    retryBudget = reader.object("retryBudget", RetryBudget.init)
    portLevelSettings = reader.objects("portLevelSettings", null: "traffic policy may not be null") { entry in
      let port = entry.object("port") { $0.integer("number") } ?? nil
      entry.require("port", "portTrafficPolicy must have valid port")
      HostRules.checkPort(port, entry.context)
      entry.require(
        anyOf: "loadBalancer", "connectionPool", "outlierDetection", "tls",
        message: "port traffic policy must have at least one field")
      return PortLevel(port: port, policy: TrafficPolicy(levelOf: entry))
    }
    reader.require(
      anyOf: "connectionPool", "loadBalancer", "outlierDetection", "tls", "portLevelSettings", "tunnel",
      "proxyProtocol", "retryBudget", message: "traffic policy must have at least one field")
    reader.excludes("tunnel", "proxyProtocol")
    if reader.has("tunnel"), reader.has("proxyProtocol") {
      reader.context.error(
        "tunnel and proxyProtocol must not be set together", at: reader.keyLocation("proxyProtocol"))
    }
  }

  /// What a policy and an entry of `portLevelSettings` have in common.
  private init(levelOf reader: FieldReader) {
    location = reader.location
    loadBalancer = reader.object("loadBalancer", LoadBalancerSettings.init)
    connectionPool = reader.object("connectionPool", ConnectionPoolSettings.init)
    outlierDetection = reader.object("outlierDetection", OutlierDetection.init)
    tls = reader.object("tls", ClientTLSSettings.init)
    portLevelSettings = []
    guard let setting = loadBalancer?.localityLbSetting, outlierDetection == nil else { return }
    let message = "outlier detection policy must be provided for failover"
    if !setting.failover.isEmpty {
      reader.context.error(message, at: setting.location)
    } else if let first = setting.failoverPriority.first {
      reader.context.warning(message, at: first.location)
    }
  }
}

/// The forms of the PROXY protocol.
package enum ProxyProtocolVersion: String, Sendable, CaseIterable {
  case v1 = "V1"
  case v2 = "V2"
}

/// `tunnel`: requests go through another proxy.
package struct TunnelSettings: Sendable {
  package var protocolName: Located<String>?
  package var targetHost: Located<String>?
  package var targetPort: Located<Int>?

  init(_ reader: FieldReader) {
    protocolName = reader.string("protocol")
    targetHost = reader.string("targetHost")
    targetPort = reader.integer("targetPort")
    let context = reader.context
    if let protocolName, !["", "CONNECT", "POST"].contains(protocolName.value) {
      context.error("tunnel protocol must be \"CONNECT\" or \"POST\"", at: protocolName.location)
    }
    reader.require("targetHost", targetHost, "tunnel target host must be valid FQDN or IP address: empty")
    if let host = targetHost, !host.value.isEmpty, !HostRules.isIPLiteral(host.value),
      let problem = HostRules.problem(with: host.value, allowsWildcard: false)
    {
      context.error("tunnel target host must be valid FQDN or IP address: \(host.value); \(problem)", at: host.location)
    }
    reader.require("targetPort", "tunnel target port is invalid: it must be set")
    if let port = targetPort, !(1...65535).contains(port.value) {
      context.error("tunnel target port is invalid: \(port.value)", at: port.location)
    }
  }
}

/// `retryBudget`: how many requests may be retries.
package struct RetryBudget: Sendable {
  /// 0 to 100
  package var percent: Located<Double>?
  package var minRetryConcurrency: Located<Int>?
  /// In milliseconds.
  package var budgetInterval: Located<Int>?

  init(_ reader: FieldReader) {
    percent = reader.double("percent")
    minRetryConcurrency = reader.integer("minRetryConcurrency", in: 0...Int(UInt32.max))
    budgetInterval = reader.duration("budgetInterval")
    if let percent, !(0...100).contains(percent.value) {
      reader.context.error("percentage \(percent.value) is not in range 0..100", at: percent.location)
    }
  }
}
