import Testing
import Wire

@testable import Resources
@testable import Routing

/// The article's resources as they are published in `gateways/`.
@Suite struct ArticleTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }

  private func compile(_ name: String, secrets: Bool = false, publish: [Int: Int] = [:]) -> SnapshotCompiler.Output {
    var loaded = ResourceLoader.load(["\(Self.root)/gateways"])
    #expect(loaded.unreadable.isEmpty)
    #expect(!loaded.diagnostics.contains { $0.severity == .error }, "\(loaded.diagnostics)")
    if secrets {
      var metadata = Metadata()
      metadata.name = "httpbin-credential"
      metadata.namespace = "istio-system"
      loaded.resources.secrets.append(
        Resource(
          kind: "Secret", metadata: metadata, location: SourceLocation(file: "s", line: 1, column: 1),
          spec: Secret(type: "kubernetes.io/tls", data: ["tls.crt": [1], "tls.key": [2]])))
    }
    let entry = InstanceCatalog.instances(in: loaded.resources).first { $0.identity.name == name }
    #expect(entry != nil)
    var options = CompilerOptions()
    options.publish = publish
    return SnapshotCompiler(
      loaded.resources, identity: entry?.identity ?? InstanceIdentity(), readinessProbes: entry?.readinessProbes ?? [],
      options: options, readFile: { _ in nil }
    ).compile(generation: 1)
  }

  @Test func `the egress instance has one listener, one upstream and its readiness probe`() throws {
    let snapshot = compile("httpbin-egress").snapshot
    #expect(snapshot.identity.labels["service.istio.io/canonical-name"] == "httpbin-egress")
    #expect(snapshot.listenerFacts.map(\.name) == ["0.0.0.0_18080"])
    #expect(snapshot.listeners[0].declaredPort == 80)
    #expect(snapshot.routeConfigurationNames == ["http.80"])
    let cluster = try #require(snapshot.clusters.first)
    #expect(snapshot.clusters.count == 1 && cluster.name == "outbound|443|http-egress-subset|httpbin.org")
    #expect(cluster.settings.discovery == .strictDNS)
    #expect(cluster.settings.dnsNames == [.init(name: "httpbin.org", port: 443, weight: 1)])
    // The subset's ROUND_ROBIN is lost beside its portLevelSettings, as in Istio.
    #expect(cluster.settings.loadBalancing == .leastRequest)
    let tls = try #require(cluster.settings.tls)
    #expect(tls.serverName == "httpbin.org" && tls.verifiedHost == "httpbin.org" && tls.authority == .system)
    let probe = try #require(snapshot.probes.first)
    #expect(probe.target == "GET https://httpbin.org/status/200" && probe.usesClusterTLS)
    #expect(probe.periodSeconds == 2 && probe.failureThreshold == 30 && probe.initialDelaySeconds == 1)
  }

  @Test func `the ingress instance redirects, terminates and leads to the egress instance`() throws {
    let snapshot = compile("istio-ingressgateway", secrets: true).snapshot
    #expect(snapshot.listenerFacts.map(\.name) == ["0.0.0.0_8080", "0.0.0.0_15443"])
    #expect(snapshot.routeConfigurationNames == ["http.80", "https.443.https.my-ingressgateway.istio-system"])
    #expect(snapshot.virtualHostFacts.map(\.name) == ["httpbin.example.com:80", "httpbin.example.com:443"])
    #expect(snapshot.virtualHosts.map(\.requiresTLS) == [true, false])
    #expect(snapshot.clusters.map(\.name) == ["outbound|80||httpbin-egress.httpbin.svc.cluster.local"])
    let cluster = try #require(snapshot.clusters.first)
    #expect(cluster.settings.tls == nil)
    #expect(cluster.settings.endpoints.map { "\($0.address):\($0.port)" } == ["127.0.0.1:18080"])
    let policy = try #require(snapshot.policies.first)
    #expect(policy.problem == nil && policy.certificates.map(\.resourceName) == ["kubernetes://httpbin-credential"])
    #expect(snapshot.probes.map(\.portOverride) == [15021])
  }

  @Test func `a missing secret breaks its chain alone and is said`() {
    let output = compile("istio-ingressgateway")
    #expect(output.snapshot.policies.first?.problem != nil)
    #expect(output.snapshot.listeners.count == 2)
    #expect(output.diagnostics.contains { $0.code == "IST0101" && $0.message.contains("httpbin-credential") })
  }

  @Test func `says what the port-level entry loses and which name is verified`() {
    let codes = Set(compile("httpbin-egress").diagnostics.map(\.code))
    #expect(codes.isSuperset(of: ["SP1010", "SP1013", "SP1014"]))
  }

  @Test func `publishes a gateway port at a local one`() {
    let snapshot = compile("istio-ingressgateway", secrets: true, publish: [443: 4443, 80: 4080]).snapshot
    #expect(snapshot.listenerFacts.map(\.name) == ["0.0.0.0_4080", "0.0.0.0_4443"])
    #expect(snapshot.listeners.map(\.declaredPort) == [80, 443])
  }

  @Test func `the server name chooses the chain`() {
    let snapshot = compile("istio-ingressgateway", secrets: true).snapshot
    for (name, chain) in [("httpbin.example.com", Int32(0)), ("other.example.com", -1), ("", -1)] {
      let bytes = Array(name.utf8)
      #expect(snapshot.chain(ofListener: 1, serverName: bytes.span.raw) == chain)
    }
  }
}
