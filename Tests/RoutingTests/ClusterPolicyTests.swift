import Testing

@testable import Resources
@testable import Routing

/// Limits, ejection and hashing, from a DestinationRule to a cluster.
@Suite struct ClusterPolicyTests {
  private func settings(_ policy: String, subset: String? = nil) throws -> Cluster.Settings {
    let destination = subset == nil ? "{host: up.example}" : "{host: up.example, subset: s}"
    let yaml =
      routing("- route: [{destination: \(destination)}]") + """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: up, namespace: n}
        spec:
          host: up.example
          trafficPolicy: {\(policy)}
        \(subset.map { "  subsets: [{name: s, trafficPolicy: {\($0)}}]" } ?? "")

        """
    return try #require(compile(yaml).snapshot.clusters.first).settings
  }

  @Test func `without a rule nothing is limited, ejected or hashed`() throws {
    let settings = try settings("tls: {mode: DISABLE}")
    #expect(settings.circuitBreakers == .none && settings.outlierDetection == nil && settings.hashPolicy == nil)
  }

  @Test func `limits`() throws {
    let limits = try settings(
      "connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRetries: 0}}"
    ).circuitBreakers
    #expect(limits.maxConnections == 1 && limits.maxPendingRequests == 2 && limits.maxRequests == 3)
    #expect(limits.maxRetries == .max)
  }

  @Test func `outlier detection has Envoy's defaults`() throws {
    let settings = try settings("outlierDetection: {minHealthPercent: 30}")
    #expect(settings.outlierDetection == OutlierPolicy() && settings.minHealthPercent == 30)
  }

  @Test func `outlier detection takes every field`() throws {
    let policy = try #require(
      try settings(
        "outlierDetection: {consecutive5xxErrors: 1, consecutiveGatewayErrors: 2, consecutiveLocalOriginFailures: 3, splitExternalLocalOriginErrors: true, interval: 1s, baseEjectionTime: 2s, maxEjectionPercent: 40, outlierDetectionHttpErrorCodes: [418]}"
      ).outlierDetection)
    #expect(policy.consecutive5xxErrors == 1 && policy.consecutiveGatewayErrors == 2)
    #expect(policy.consecutiveLocalOriginFailures == 3 && policy.splitsLocalOriginErrors)
    #expect(policy.intervalMilliseconds == 1000 && policy.baseEjectionMilliseconds == 2000)
    #expect(policy.maxEjectionPercent == 40 && policy.errorStatuses == [418])
  }

  @Test func `a retry budget has Istio's defaults, and a subset's takes its place`() throws {
    let plain = try settings("retryBudget: {}").circuitBreakers.retryBudget
    #expect(plain?.percent == 20 && plain?.minRetryConcurrency == 3 && plain?.intervalMilliseconds == 0)
    let own = try settings(
      "retryBudget: {percent: 5}", subset: "retryBudget: {minRetryConcurrency: 1, budgetInterval: 2s}")
    let budget = own.circuitBreakers.retryBudget
    #expect(budget?.percent == 20 && budget?.minRetryConcurrency == 1 && budget?.intervalMilliseconds == 2000)
  }

  @Test func `a subset's blocks replace those of the rule one by one`() throws {
    let settings = try settings(
      "outlierDetection: {consecutive5xxErrors: 9}, connectionPool: {tcp: {maxConnections: 1}}",
      subset: "connectionPool: {tcp: {maxConnections: 2}}")
    #expect(settings.outlierDetection?.consecutive5xxErrors == 9 && settings.circuitBreakers.maxConnections == 2)
  }

  @Test(arguments: [
    ("httpHeaderName: X-A", HashPolicy(key: .header(Array("x-a".utf8)), table: .ring(minimumSize: 1024))),
    ("useSourceIp: true, minimumRingSize: 7", HashPolicy(key: .sourceIP, table: .ring(minimumSize: 7))),
    (
      "httpQueryParameterName: q, ringHash: {minimumRingSize: 9}",
      HashPolicy(key: .queryParameter(Array("q".utf8)), table: .ring(minimumSize: 9))
    ),
    (
      "httpCookie: {name: c, ttl: 1m, path: /p}, maglev: {tableSize: 13}",
      HashPolicy(
        key: .cookie(.init(name: Array("c".utf8), suffix: Array("; Max-Age=60; Path=/p; HttpOnly".utf8))),
        table: .maglev(size: 13))
    ),
    (
      "httpCookie: {name: c}",
      HashPolicy(key: .cookie(.init(name: Array("c".utf8), suffix: nil)), table: .ring(minimumSize: 1024))
    ),
  ])
  func `consistent hashing`(fields: String, expected: HashPolicy) throws {
    #expect(try settings("loadBalancer: {consistentHash: {\(fields)}}").hashPolicy == expected)
  }
}
