import Testing

@testable import Resources
@testable import Routing

/// Fields whose effect is a value of the snapshot.
@Suite struct FieldTests {
  private static func compile(_ yaml: String, files: [String: String] = [:]) -> SnapshotCompiler.Output {
    let loaded = Marked.load(yaml)
    #expect(!loaded.diagnostics.contains { $0.severity == .error }, "\(loaded.diagnostics.map(\.message))")
    let identity = InstanceIdentity(name: "edge", namespace: "default", labels: ["app": "edge"])
    return SnapshotCompiler(
      loaded.resources, identity: identity, readinessProbes: [], options: CompilerOptions(),
      readFile: { files[$0].map { Array($0.utf8) } }
    ).compile(generation: 1)
  }

  private static func gateway(tls: String) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g}
    spec:
      servers:
      - port: {number: 443, name: https, protocol: HTTPS}
        hosts: [a.example.com]
        tls: {\(tls)}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: one}
    stringData: {tls.crt: one, tls.key: key, ca.crt: own CA, ca.crl: own CRL}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: two}
    stringData: {cert: two, key: key}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: clients}
    stringData: {cacert: other CA}
    """
  }

  private static let files = [
    "/a.crt": "file a", "/b.crt": "file b", "/k": "key", "/ca": "file CA", "/crl": "file CRL",
  ]

  private static func policy(_ tls: String) throws -> TLSServerPolicy {
    try #require(compile(gateway(tls: tls), files: files).snapshot.policies.first)
  }

  @Test(arguments: [
    ("mode: SIMPLE, credentialName: one", ["one"]),
    ("mode: SIMPLE, credentialNames: [one, two]", ["one", "two"]),
    ("mode: SIMPLE, serverCertificate: /a.crt, privateKey: /k", ["file a"]),
    (
      "mode: SIMPLE, tlsCertificates: [{serverCertificate: /a.crt, privateKey: /k}, {serverCertificate: /b.crt, privateKey: /k}]",
      ["file a", "file b"]
    ),
  ])
  func `several certificates serve one server`(_ tls: String, _ chains: [String]) throws {
    let policy = try Self.policy(tls)
    #expect(policy.problem == nil)
    #expect(policy.certificates.map { String(decoding: $0.chainPEM, as: UTF8.self) } == chains)
    #expect(policy.certificates.allSatisfy { $0.keyPEM == Array("key".utf8) })
  }

  @Test(
    arguments: [
      ("mode: SIMPLE, credentialName: one", nil, nil),
      ("mode: MUTUAL, credentialName: one", "own CA", "own CRL"),
      ("mode: OPTIONAL_MUTUAL, credentialNames: [one, two]", "own CA", "own CRL"),
      ("mode: MUTUAL, credentialName: one, caCertCredentialName: clients", "other CA", nil),
      (
        "mode: MUTUAL, serverCertificate: /a.crt, privateKey: /k, caCertificates: /ca, caCrl: /crl", "file CA",
        "file CRL"
      ),
    ] as [(String, String?, String?)])
  func `the client CA comes from where the server says`(_ tls: String, _ authority: String?, _ crl: String?) throws {
    let policy = try Self.policy(tls)
    #expect(policy.problem == nil)
    #expect(policy.clientCAPEM.map { String(decoding: $0, as: UTF8.self) } == authority)
    #expect(policy.crlPEM.map { String(decoding: $0, as: UTF8.self) } == crl)
  }

  // MARK: Clusters

  private static func cluster(_ more: String, entry: String = "") throws -> Cluster {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v}
      spec:
        hosts: ["*"]
        gateways: [g]
        http: [{timeout: 3s, retries: {attempts: 4, perTryTimeout: 1s, retryOn: "5xx,418", backoff: 50ms}, route: [{destination: {host: up.example}}]}]
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: e, namespace: other}
      spec:
        hosts: [up.example]
        ports: [{number: 80, name: http, protocol: HTTP}]
        \(entry.isEmpty ? "resolution: DNS" : entry)
      ---
      \(more)
      """
    return try #require(compile(yaml).snapshot.clusters.first)
  }

  private static func rule(_ namespace: String, _ spec: String) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: r, namespace: \(namespace)}
    spec: {\(spec), trafficPolicy: {loadBalancer: {simple: RANDOM}}}
    """
  }

  @Test(arguments: [
    (rule("default", "host: up.example"), true), (rule("other", "host: up.example"), true),
    (rule("other", "host: up.example, exportTo: [default]"), true),
    (rule("other", "host: up.example, exportTo: [.]"), false), (rule("third", "host: up.example"), false),
    (rule("istio-system", "host: \"*.example\""), true), (rule("default", "host: down.example"), false),
    (rule("default", "host: up.example, workloadSelector: {matchLabels: {app: edge}}"), true),
    (rule("default", "host: up.example, workloadSelector: {matchLabels: {app: other}}"), false),
  ])
  func `policies reach the namespaces that they are exported to`(_ rule: String, _ isInForce: Bool) throws {
    #expect(try (Self.cluster(rule).settings.loadBalancing == .random) == isInForce)
  }

  @Test func `limits of connections are taken over`() throws {
    let settings = try Self.cluster(
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: r}
      spec:
        host: up.example
        trafficPolicy:
          connectionPool:
            tcp: {connectTimeout: 250ms, idleTimeout: 10s}
            http: {maxRequestsPerConnection: 7, idleTimeout: 20s}
      """
    ).settings
    #expect(settings.connectTimeoutMilliseconds == 250)
    #expect(settings.maxRequestsPerConnection == 7)
    #expect(settings.idleTimeoutMilliseconds == 20_000)
  }

  @Test func `endpoints keep their weight and locality`() throws {
    let cluster = try Self.cluster(
      """
      apiVersion: networking.istio.io/v1
      kind: WorkloadEntry
      metadata: {name: w, namespace: other, labels: {app: up}}
      spec: {address: 10.0.0.2, weight: 3, locality: r/z}
      """,
      entry: "resolution: STATIC\n  workloadSelector: {labels: {app: up}}")
    #expect(
      cluster.settings.endpoints == [.init(address: "10.0.0.2", port: 80, weight: 3, locality: "r/z")])
    let inline = try Self.cluster(
      "# nothing", entry: "resolution: STATIC\n  endpoints: [{address: 10.0.0.1, weight: 5, locality: r/y}]")
    #expect(inline.settings.endpoints == [.init(address: "10.0.0.1", port: 80, weight: 5, locality: "r/y")])
  }

  @Test func `a ServiceEntry says who is believed`() throws {
    let cluster = try Self.cluster(
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: r}
      spec: {host: up.example, trafficPolicy: {tls: {mode: SIMPLE}}}
      """, entry: "resolution: DNS\n  subjectAltNames: [spiffe://a/b]")
    #expect(cluster.settings.tls?.subjectAltNames == ["spiffe://a/b"])
    #expect(cluster.settings.tls?.verifiedHost == nil)
  }

  @Test(arguments: [
    ("h2UpgradePolicy: UPGRADE", Cluster.HTTPProtocol.http2), ("h2UpgradePolicy: DO_NOT_UPGRADE", .http1),
    ("useClientProtocol: true", .asDownstream), ("useClientProtocol: false", .http1),
  ])
  func `the version of HTTP to an upstream is compiled`(_ field: String, _ version: Cluster.HTTPProtocol) throws {
    let cluster = try Self.cluster(
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: r}
      spec: {host: up.example, trafficPolicy: {connectionPool: {http: {\(field)}}}}
      """)
    #expect(cluster.settings.httpProtocol == version)
  }

  @Test func `the file of a revocation list is taken over`() throws {
    let cluster = try Self.cluster(
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: r}
      spec: {host: up.example, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /ca, caCrl: /crl}}}
      """)
    #expect(cluster.settings.tls?.crlFile == "/crl" && cluster.settings.tls?.authority == .file("/ca"))
  }

  @Test func `the timeout and the retries of a rule are compiled`() throws {
    let snapshot = Self.compile(
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v}
      spec:
        hosts: ["*"]
        gateways: [g]
        http:
        - timeout: 3s
          retries: {attempts: 4, perTryTimeout: 1s, retryOn: "5xx,418", backoff: 50ms}
          route: [{destination: {host: up.default.svc.cluster.local, port: {number: 80}}}]
      """
    ).snapshot
    let route = try #require(snapshot.routes.first)
    #expect(route.timeoutMilliseconds == 3000)
    let policy = snapshot.retryPolicies[Int(route.retryPolicy)]
    #expect(policy.attempts == 4 && policy.perTryTimeoutMilliseconds == 1000 && policy.backoffMilliseconds == 50)
    #expect(policy.conditions.contains(.serverError) && policy.statuses.contains(418))
  }

  // MARK: What has no effect

  @Test(arguments: [
    ("fault: {abort: {http2Error: x}}", "http2Error"), ("fault: {delay: {exponentialDelay: 1s}}", "exponentialDelay"),
  ])
  func `faults that Istio never implemented are refused`(_ field: String, _ token: String) {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v}
      spec:
        hosts: [a.example]
        gateways: [g]
        http:
        - \(field)
          route: [{destination: {host: b.example}}]
      """
    let errors = Marked.load(yaml).diagnostics.filter { $0.severity == .error }
    #expect(errors.count == 1 && errors[0].message.contains("not supported"))
    #expect(errors.first?.location?.line == 8 && errors.first?.location?.length == token.count)
  }

  @Test func `the target port of a Gateway is said to have no effect`() {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP, targetPort: 81}, hosts: ["*"]}]}
      """
    #expect(Marked.load(yaml).diagnostics.map(\.code) == ["IST0133"])
  }
}
