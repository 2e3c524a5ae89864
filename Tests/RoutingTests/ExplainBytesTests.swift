import Testing
import Wire

@testable import Resources
@testable import Routing

/// Connections that carry bytes: what explain says of them, and which differences diff finds.
@Suite struct ExplainBytesTests {
  private static let entries = """
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: e, namespace: n}
    spec: {hosts: [one.test, two.test], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: 192.0.2.1}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: empty, namespace: n}
    spec: {hosts: [empty.test], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec:
      servers:
      - {port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.example.com"], tls: {mode: PASSTHROUGH}}
      - {port: {number: 443, name: own, protocol: TLS}, hosts: [db.test], tls: {mode: SIMPLE, serverCertificate: c, privateKey: k}}
      - {port: {number: 443, name: web, protocol: HTTPS}, hosts: [web.test], tls: {mode: SIMPLE, serverCertificate: c, privateKey: k}}
      - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}
      - {port: {number: 9001, name: none, protocol: TCP}, hosts: ["*"]}
      - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}

    """

  private static func routes(tls: String = "", tcp: String = "") -> String {
    let rules = [("tls", tls), ("tcp", tcp)].filter { !$0.1.isEmpty }.map { "\($0.0): [\($0.1)]" }
    return entries + """
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v, namespace: n}
      spec: {hosts: ["*.example.com"], gateways: [g], \(rules.joined(separator: ", "))}

      """
  }

  private static func to(_ host: String) -> String { "route: [{destination: {host: \(host).test}}]" }

  private static func compiled(_ yaml: String) -> (resources: ResourceSet, snapshot: Snapshot) {
    var loaded = LoadResult()
    ResourceLoader.load(text: Array(yaml.utf8), file: "test.yaml", into: &loaded)
    #expect(!loaded.diagnostics.contains { $0.severity == .error }, "\(loaded.diagnostics)")
    let snapshot = SnapshotCompiler(
      loaded.resources, identity: InstanceIdentity(name: "gw", namespace: "n"), readinessProbes: [],
      options: CompilerOptions(), readFile: { _ in [1] }
    ).compile(generation: 1).snapshot
    return (loaded.resources, snapshot)
  }

  private func explain(
    _ url: String, _ yaml: String, _ change: (inout SampleRequest) -> Void = { _ in }
  ) throws -> Explanation {
    let (resources, snapshot) = Self.compiled(yaml)
    var request = try SampleRequest(url: url)
    change(&request)
    let explanations = GatewayFleet(resources, snapshots: [snapshot]).explain(request)
    #expect(explanations.count == 1)
    return explanations[0]
  }

  private func clusters(_ explanation: Explanation) -> [String] {
    guard case .forward(let steps)? = explanation.answer else { return [] }
    #expect(!steps.contains { !$0.carriesBytes })
    return steps.map { $0.cluster?.host ?? "none" }
  }

  private func failures(_ explanation: Explanation) -> [String] {
    explanation.rules.map { rule in
      rule.failure.map { "\($0.condition): \($0.wanted) | \($0.had)" } ?? "matched \(rule.conditions)"
    }
  }

  @Test func `says of every earlier tls rule what it wanted`() throws {
    let yaml = Self.routes(
      tls: """
        {match: [{sniHosts: ["*.example.com"]}], \(Self.to("one"))}, \
        {match: [{port: 444, sniHosts: [a.example.com]}], \(Self.to("one"))}, \
        {match: [{sniHosts: [b.example.com]}], \(Self.to("one"))}, \
        {match: [{sniHosts: [a.example.com], gateways: [n/other]}], \(Self.to("one"))}, \
        {match: [{sniHosts: [a.example.com], destinationSubnets: [10.0.0.0/8, 10.1.1.1]}], \(Self.to("one"))}, \
        {match: [{sniHosts: [a.example.com]}], \(Self.to("two"))}, {match: [{sniHosts: [a.example.com]}], \(Self.to("one"))}
        """)
    let explanation = try explain("tls://A.example.com", yaml) { $0.address = IPAddress("192.0.2.9") }
    #expect(clusters(explanation) == ["two.test"] && explanation.error == nil)
    #expect(explanation.chain?.serverNames == ["a.example.com"] && explanation.chain?.tlsMode == "PASSTHROUGH")
    #expect(
      failures(explanation) == [
        "sniHosts: *.example.com | a.example.com, which the filter chain a.example.com takes", "port: 444 | 443",
        "sniHosts: b.example.com | a.example.com", "gateways: n/other | n/g",
        "destinationSubnets: 10.0.0.0/8 or 10.1.1.1 | 192.0.2.9", "matched sniHosts a.example.com",
      ])
    #expect(!explanation.rules.contains { !$0.location.hasPrefix("test.yaml:") || $0.virtualService != "n/v" })
    #expect(Set(explanation.rules.map(\.location)).count == 6)
  }

  @Test(arguments: [
    ("10.0.0.7", "10.9.0.1", "two"), ("10.0.0.7", "10.8.0.1", "one"), ("10.1.0.7", "10.9.0.1", ""), (nil, nil, ""),
  ])
  func `addresses choose among tcp rules, and an unknown one is in no range`(
    _ address: String?, _ source: String?, _ host: String
  ) throws {
    let yaml = Self.routes(
      tcp: """
        {match: [{destinationSubnets: [10.0.0.0/16], sourceSubnet: 10.9.0.0/16}], \(Self.to("two"))}, \
        {match: [{destinationSubnets: [10.0.0.0/16]}], \(Self.to("one"))}
        """)
    let explanation = try explain("tcp://db:9000", yaml) {
      $0.address = address.flatMap { IPAddress($0) }
      $0.source = source.flatMap { IPAddress($0) }
    }
    #expect(clusters(explanation) == (host.isEmpty ? [] : ["\(host).test"]))
    #expect(explanation.error?.kind == (host.isEmpty ? .noRoute : nil))
    if address == nil { #expect(failures(explanation).allSatisfy { $0.hasSuffix("not known, --address says it") }) }
    // What the data plane's matcher says of the same addresses.
    guard let to = address.flatMap({ IPAddress($0) }), let from = source.flatMap({ IPAddress($0) }) else { return }
    let snapshot = Self.compiled(yaml).snapshot
    let listener = try #require(snapshot.listeners.first { $0.declaredPort == 9000 })
    let found = snapshot.tcpRoute(in: listener.tcpRoutes, source: from, destination: to)
    #expect((found < 0) == host.isEmpty)
  }

  @Test(arguments: [
    ("tls://c.test:443", ExplainError.Kind.noFilterChain, "nobody serves the name c.test"),
    ("tls://192.0.2.1:443", .noFilterChain, "the client sends no server name"),
    ("tcp://db:443", .noFilterChain, "expects TLS"), ("tls://web.test:443", .noFilterChain, "routes requests"),
    ("tcp://db:80", .noFilterChain, "routes requests"), ("tls://db:80", .noFilterChain, "plaintext HTTP"),
    ("tcp://db:1", .noListener, "nothing listens on port 1"), ("tcp://db:9001", .noRoute, "there is no tcp rule"),
    ("tls://lost.example.com", .noCluster, "does not exist"), ("tls://empty.example.com", .noEndpoints, "no endpoints"),
  ])
  func `says where a connection ends`(_ url: String, _ kind: ExplainError.Kind, _ words: String) throws {
    let yaml = Self.routes(
      tls: """
        {match: [{sniHosts: [lost.example.com]}], \(Self.to("lost"))}, \
        {match: [{sniHosts: [empty.example.com]}], \(Self.to("empty"))}
        """, tcp: "{match: [{port: 9000}], \(Self.to("one"))}")
    let error = try #require(explain(url, yaml).error)
    #expect(error.kind == kind && error.status == nil && error.message.contains(words), "\(error)")
  }

  @Test func `a request through a server that carries bytes is no error`() throws {
    let yaml = Self.routes(
      tls: "{match: [{sniHosts: [\"*.example.com\"]}], \(Self.to("one"))}", tcp: Self.to("two").braced)
    #expect(try clusters(explain("https://a.example.com/x", yaml)) == ["one.test"])
    #expect(try clusters(explain("https://db.test/x", yaml)) == ["two.test"])
    #expect(try clusters(explain("http://db.test:9000/x", yaml)) == ["two.test"])
    #expect(try explain("tls://web.test", yaml).error?.kind == .noFilterChain)
  }

  @Test func `AUTO_PASSTHROUGH asks for one of Istio's protocols`() throws {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g, namespace: n}
      spec: {servers: [{port: {number: 15443, name: tls, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}]}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: n}
      spec: {ports: [{name: http, port: 80}]}
      """
    let url = "tls://outbound_.80_._.web.n.svc.cluster.local:15443"
    #expect(try explain(url, yaml).error?.message.contains("istio-peer-exchange") == true)
    let explanation = try explain(url, yaml) { $0.protocols = ["h2", "istio"] }
    #expect(explanation.error?.kind == nil || explanation.error?.kind == .noEndpoints)
    #expect(clusters(explanation) == ["web.n.svc.cluster.local"] && explanation.rules.isEmpty)
  }

  @Test(arguments: [
    ("tcp://db", "port"), ("tcp://db:9000/x", "no path"), ("tls://db:0", "port"), ("udp://db:53", "scheme"),
  ])
  func `connections that cannot be asked for`(_ url: String, _ words: String) {
    #expect { try SampleRequest(url: url) } throws: { "\($0)".contains(words) }
  }

  @Test func `commands make the connections`() throws {
    var secure = try SampleRequest(url: "tls://a.example.com")
    #expect(secure.command == "openssl s_client -connect a.example.com:443 -servername a.example.com")
    secure.protocols = ["istio"]
    secure.address = IPAddress("fd00::1")
    #expect(secure.command == "openssl s_client -connect '[fd00::1]:443' -servername a.example.com -alpn istio")
    #expect(
      try SampleRequest(url: "tls://192.0.2.1:99").command == "openssl s_client -connect 192.0.2.1:99 -noservername")
    #expect(try SampleRequest(url: "tcp://[fd00::1]:9000").command == "nc fd00::1 9000")
  }

  // MARK: Differences

  private func compare(_ old: String, _ new: String) -> [String] {
    let difference = SnapshotDiffer(old: Self.compiled(old).snapshot, new: Self.compiled(new).snapshot).compare()
    return difference.requests.map { item in
      #expect(!item.witness.isHTTP)
      return
        "\(item.witness.url) \(item.witness.address.map { "\($0)" } ?? "-"): \(item.old.destination) > \(item.new.destination)"
    }
  }

  @Test func `differences of passthrough names have a connection each`() {
    let old = Self.routes(
      tls:
        "{match: [{sniHosts: [a.example.com, b.example.com]}], \(Self.to("one"))}, {match: [{sniHosts: [c.example.com]}], \(Self.to("one"))}"
    )
    let new = Self.routes(
      tls:
        "{match: [{sniHosts: [a.example.com]}], \(Self.to("one"))}, {match: [{sniHosts: [c.example.com]}], \(Self.to("two"))}"
    )
    #expect(
      compare(old, new) == [
        "tls://b.example.com:443 -: outbound|443||one.test > no-filter-chain",
        "tls://c.example.com:443 -: outbound|443||one.test > outbound|443||two.test",
      ])
    #expect(compare(old, old).isEmpty && compare(new, "# moved\n" + new).isEmpty)
  }

  @Test func `differences of ranges have an address each`() {
    let old = Self.routes(
      tcp: "{match: [{destinationSubnets: [10.0.0.0/24]}], \(Self.to("one"))}, {\(Self.to("two"))}")
    let new = Self.routes(
      tcp: "{match: [{destinationSubnets: [10.0.0.0/25]}], \(Self.to("one"))}, {\(Self.to("two"))}")
    let places = ["tls://db.test:443", "tcp://127.0.0.1:9000", "tcp://127.0.0.1:9001"]
    #expect(
      compare(old, new) == places.map { "\($0) 10.0.0.128: outbound|443||one.test > outbound|443||two.test" })
  }

  @Test(arguments: 0..<60)
  func `misses no connection that goes elsewhere`(_ seed: Int) throws {
    var random = RouteIndexTests.Generator(state: UInt64(seed) &* 7919 &+ 13)
    let old = Self.compiled(Self.routes(tcp: Self.randomRules(&random))).snapshot
    let new = Self.compiled(Self.routes(tcp: Self.randomRules(&random))).snapshot
    let found = SnapshotDiffer(old: old, new: new).compare().requests
    let (before, after) = (Explainer(old), Explainer(new))
    var isDifferent = false
    for _ in 0..<400 {
      var request = try SampleRequest(url: "tcp://db:9000")
      request.address = IPAddress(v4: 0x0A00_0000 | UInt32.random(in: 0..<16, using: &random))
      request.source = IPAddress(v4: 0x0A00_0000 | UInt32.random(in: 0..<16, using: &random))
      if clusters(before.explain(request)) != clusters(after.explain(request)) { isDifferent = true }
    }
    #expect(isDifferent ? !found.isEmpty : true, "seed \(seed)")
    for item in found where item.witness.port == 9000 {
      #expect(clusters(before.explain(item.witness)) != clusters(after.explain(item.witness)), "seed \(seed)")
    }
  }

  private static func randomRules(_ random: inout RouteIndexTests.Generator) -> String {
    let rules = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let length = Int.random(in: 28...32, using: &random)
      let start = Int.random(in: 0..<16, using: &random)
      let field =
        Bool.random(using: &random)
        ? "destinationSubnets: [10.0.0.\(start)/\(length)]" : "sourceSubnet: 10.0.0.\(start)/\(length)"
      return "{match: [{\(field)}], \(to(Bool.random(using: &random) ? "one" : "two"))}"
    }
    return rules.joined(separator: ", ")
  }
}

extension String {
  fileprivate var braced: String { "{\(self)}" }
}
