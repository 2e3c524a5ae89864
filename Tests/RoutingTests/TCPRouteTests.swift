import Testing
import Wire

@testable import Resources
@testable import Routing

/// Servers that do not lead to HTTP: which chains and routes they have, and what is chosen.
@Suite struct TCPRouteTests {
  private static let entries =
    ["one", "two", "three"].map { name in
      """
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: \(name), namespace: n}
      spec: {hosts: [\(name).example], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: 192.0.2.1}]}

      """
    }.joined()

  private static func gateway(_ servers: String..., annotations: String = "{}") -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n, annotations: \(annotations)}
    spec: {servers: [\(servers.joined(separator: ", "))]}

    """
  }

  private static func server(_ hosts: String, _ number: Int, _ kind: String, tls: String? = nil) -> String {
    "{port: {number: \(number), name: p\(number), protocol: \(kind)}, hosts: [\(hosts)]\(tls.map { ", tls: {\($0)}" } ?? "")}"
  }

  private static func service(_ rules: String, hosts: String = "\"*\"", name: String = "v", gateways: String = "g")
    -> String
  {
    """
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: \(name), namespace: n}
    spec: {hosts: [\(hosts)], gateways: [\(gateways)], \(rules)}

    """
  }

  private static func to(_ host: String, weight: Int? = nil) -> String {
    "{destination: {host: \(host).example}\(weight.map { ", weight: \($0)" } ?? "")}"
  }

  private func compile(_ parts: String..., allowErrors: Bool = false) -> SnapshotCompiler.Output {
    var loaded = LoadResult()
    ResourceLoader.load(text: Array((parts.joined() + Self.entries).utf8), file: "test.yaml", into: &loaded)
    if !allowErrors { #expect(!loaded.diagnostics.contains { $0.severity == .error }, "\(loaded.diagnostics)") }
    return SnapshotCompiler(
      loaded.resources, identity: InstanceIdentity(name: "i", namespace: "n", labels: ["app": "edge"]),
      readinessProbes: [], options: CompilerOptions(), readFile: { _ in [1] }
    ).compile(generation: 1)
  }

  /// The hosts that a list of routes leads to, for a connection.
  private func hosts(
    _ snapshot: Snapshot, _ list: TCPProxyRouteList, from source: String = "192.0.2.9",
    to destination: String = "192.0.2.1"
  ) throws -> [String] {
    let from = try #require(IPAddress(source))
    let to = try #require(IPAddress(destination))
    let index = snapshot.tcpRoute(in: list, source: from, destination: to)
    guard index >= 0 else { return [] }
    let route = snapshot.tcpRoutes[Int(index)]
    return (route.firstDestination..<route.firstDestination + route.destinationCount).map {
      let cluster = snapshot.destinations[Int($0)].cluster
      return cluster >= 0 ? snapshot.clusters[Int(cluster)].host : "none"
    }
  }

  private func chain(_ snapshot: Snapshot, _ name: String) -> FilterChain? {
    let bytes = Array(name.utf8)
    let index = snapshot.chain(ofListener: 0, serverName: bytes.span.raw)
    return index >= 0 ? snapshot.filterChains[Int(index)] : nil
  }

  @Test(arguments: ["TCP", "MONGO", "REDIS", "MYSQL"])
  func `plaintext servers have the tcp routes of their Gateway and port`(_ kind: String) throws {
    let snapshot = compile(
      Self.gateway(Self.server("\"*\"", 9000, kind)),
      Self.service(
        "tcp: [{match: [{port: 9001}], route: [\(Self.to("one"))]}, {match: [{port: 9000, gateways: [other]}], route: [\(Self.to("one"))]}, {match: [{sourceLabels: {app: web}}], route: [\(Self.to("one"))]}, {match: [{port: 9000, gateways: [g], sourceLabels: {app: edge}}], route: [\(Self.to("two"))]}, {route: [\(Self.to("three"))]}]"
      )
    ).snapshot
    let listener = try #require(snapshot.listeners.first)
    #expect(listener.kind == .tcp && !listener.needsClientHello && listener.routeConfiguration == -1)
    #expect(try hosts(snapshot, listener.tcpRoutes) == ["two.example"])
    #expect(listener.tcpRoutes.count == 2)
  }

  @Test func `addresses tell routes apart`() throws {
    let snapshot = compile(
      Self.gateway(Self.server("\"*\"", 3306, "MYSQL")),
      Self.service(
        "tcp: [{match: [{destinationSubnets: [10.0.0.0/24, 10.0.2.1]}, {sourceSubnet: 10.9.0.0/16}], route: [\(Self.to("one"))]}, {match: [{destinationSubnets: [10.0.1.0/24]}], route: [\(Self.to("two"))]}]"
      )
    ).snapshot
    let list = try #require(snapshot.listeners.first).tcpRoutes
    #expect(try hosts(snapshot, list, to: "10.0.0.7") == ["one.example"])
    #expect(try hosts(snapshot, list, to: "10.0.2.1") == ["one.example"])
    #expect(try hosts(snapshot, list, to: "10.0.1.7") == ["two.example"])
    #expect(try hosts(snapshot, list, to: "10.0.3.7") == [])
    #expect(try hosts(snapshot, list, from: "10.9.1.1", to: "10.0.3.7") == ["one.example"])
    #expect(try hosts(snapshot, list, to: "::ffff:10.0.1.7") == ["two.example"])
  }

  @Test func `weights choose among destinations`() throws {
    let snapshot = compile(
      Self.gateway(Self.server("\"*\"", 9000, "TCP")),
      Self.service(
        "tcp: [{route: [\(Self.to("one", weight: 75)), \(Self.to("two", weight: 25)), \(Self.to("three", weight: 0))]}]"
      )
    ).snapshot
    let route = try #require(snapshot.tcpRoutes.first)
    #expect(route.destinationCount == 2 && route.totalWeight == 100)
    let picks = (0..<4).map { snapshot.pickDestination(route, random: UInt32($0) << 30) - route.firstDestination }
    #expect(picks == [0, 0, 0, 1])
  }

  @Test func `server names of tls routes become chains beside terminating servers`() throws {
    let tls = "mode: SIMPLE, serverCertificate: c, privateKey: k"
    let snapshot = compile(
      Self.gateway(
        Self.server("\"*.example.com\"", 443, "TLS", tls: "mode: PASSTHROUGH"),
        Self.server("web.example.com", 443, "HTTPS", tls: tls), Self.server("db.example.com", 443, "TLS", tls: tls)
      ).replacingPortNames,
      Self.service(
        "tls: [{match: [{sniHosts: [A.example.com, b.example.com]}], route: [\(Self.to("one"))]}, {match: [{sniHosts: [\"*.example.com\", a.example.com]}], route: [\(Self.to("two"))]}, {match: [{sniHosts: [other.test]}], route: [\(Self.to("two"))]}]",
        hosts: "\"*.example.com\", other.test"),
      Self.service("tcp: [{route: [\(Self.to("three"))]}]", name: "w")
    ).snapshot
    #expect(snapshot.listeners.map(\.needsClientHello) == [true])
    for (name, network, host) in [
      ("a.example.com", FilterChain.Network.passthrough, "one.example"), ("b.example.com", .passthrough, "one.example"),
      ("c.example.com", .passthrough, "two.example"), ("db.example.com", .tcp, "three.example"),
    ] {
      let found = try #require(chain(snapshot, name), "\(name)")
      #expect(found.network == network && !found.requiresIstioProtocol, "\(name)")
      #expect(try hosts(snapshot, found.tcpRoutes) == [host], "\(name)")
      #expect((found.policy >= 0) == (network == .tcp))
    }
    #expect(chain(snapshot, "web.example.com")?.network == .http)
    for name in ["other.test", "example.com", ""] { #expect(chain(snapshot, name) == nil, "\(name)") }
  }

  @Test func `an HTTPS listener without other chains reads no ClientHello first`() {
    let tls = "mode: SIMPLE, serverCertificate: c, privateKey: k"
    let snapshot = compile(Self.gateway(Self.server("web.example.com", 443, "HTTPS", tls: tls))).snapshot
    #expect(snapshot.listeners.map(\.needsClientHello) == [false])
  }

  @Test func `a server without routes serves nothing and is said`() throws {
    for (server, word) in [
      (Self.server("\"*\"", 9000, "TCP"), "tcp"), (Self.server("\"*\"", 443, "TLS", tls: "mode: PASSTHROUGH"), "tls"),
    ] {
      let output = compile(Self.gateway(server))
      #expect(output.diagnostics.contains { $0.code == "SP1053" && $0.message.contains("\(word) route") })
      let listener = try #require(output.snapshot.listeners.first)
      #expect(try hosts(output.snapshot, listener.tcpRoutes) == [])
    }
  }

  @Test func `http rules at a server that passes bytes on are said once, at the VirtualService`() throws {
    let passthrough = Self.server("\"*.example.com\"", 443, "TLS", tls: "mode: PASSTHROUGH")
    let second = Self.server("\"*.example.com\"", 8443, "TLS", tls: "mode: PASSTHROUGH")
    let http = "http: [{route: [\(Self.to("one"))]}]"
    let tls = "tls: [{match: [{sniHosts: [a.example.com]}], route: [\(Self.to("one"))]}]"
    // What is said: resource, then words of the message.
    let cases: [([String], [String], [(String, [String])])] = [
      ([passthrough], [http], [("VirtualService n/v0", ["no tls rule for n/g:443/p443", "http rules", "are closed"])]),
      ([passthrough, second], [http], [("VirtualService n/v0", ["n/g:443/p443, n/g:8443/p8443"])]),
      ([passthrough], [tls, http], [("VirtualService n/v1", ["no tls rule for n/g:443/p443"])]),
      ([Self.server("\"*\"", 9000, "TCP")], [http], [("VirtualService n/v0", ["no tcp rule for n/g:9000/p9000"])]),
      // Rules that another server uses are where they belong.
      ([passthrough, Self.server("\"*\"", 80, "HTTP")], [tls, http], []),
      (
        [passthrough, Self.server("\"*\"", 80, "HTTP")], [http],
        [("Gateway n/g", ["no VirtualService has a tls route"])]
      ),
      ([passthrough], [tls], []),
    ]
    for (servers, rules, expected) in cases {
      let gateway = Self.gateway(servers.joined(separator: ", "))
      let services = rules.enumerated().map {
        Self.service($0.element, hosts: "a.example.com", name: "v\($0.offset)")
      }
      let found = compile(gateway, services.joined()).diagnostics.filter { $0.code == "SP1053" }
      #expect(found.map(\.resource) == expected.map(\.0), "\(found)")
      for (diagnostic, (_, words)) in zip(found, expected) {
        for word in words { #expect(diagnostic.message.contains(word), "\(diagnostic.message)") }
        let line = try #require(diagnostic.location?.line)
        #expect((line > 5) == (diagnostic.resource != "Gateway n/g"))
      }
    }
  }

  @Test func `a server of UDP has no socket and is said`() {
    let output = compile(Self.gateway(Self.server("\"*\"", 53, "UDP")))
    #expect(output.snapshot.listeners.isEmpty)
    #expect(output.diagnostics.map(\.code) == ["SP1001"] && output.diagnostics[0].message.contains("UDP"))
  }

  @Test func `AUTO_PASSTHROUGH has a chain for every port and subset of the mesh`() throws {
    let snapshot = compile(
      Self.gateway(Self.server("\"*.local\"", 15443, "TLS", tls: "mode: AUTO_PASSTHROUGH")),
      """
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: n}
      spec: {ports: [{name: http, port: 80}, {name: https, port: 443}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: web, namespace: n}
      spec: {host: web, trafficPolicy: {tls: {mode: SIMPLE}}, subsets: [{name: v1, labels: {version: "1"}}]}

      """
    ).snapshot
    let names = [80, 443].flatMap { port in
      ["", "v1"].map { "outbound_.\(port)_.\($0)_.web.n.svc.cluster.local" }
    }
    #expect(snapshot.chainFacts.flatMap(\.serverNames) == names)
    #expect(snapshot.clusters.map(\.name) == names && snapshot.clusters.allSatisfy { $0.settings.tls == nil })
    for name in names { #expect(chain(snapshot, name)?.requiresIstioProtocol == true) }
    #expect(chain(snapshot, "one.example") == nil)
  }

  @Test func `the PROXY protocol is asked for where an annotation says so`() throws {
    let output = compile(
      Self.gateway(
        Self.server("\"*\"", 80, "HTTP"), Self.server("\"*\"", 81, "HTTP"),
        annotations:
          "{sallyport.dev/proxy-protocol: p80, sallyport.dev/proxy-protocol-trusted-sources: \"10.0.0.0/8, 192.0.2.1, x\"}"
      ))
    let snapshot = output.snapshot
    #expect(snapshot.listeners.map(\.proxyProtocol) == [0, -1])
    let policy = try #require(snapshot.proxyProtocols.first)
    #expect(output.diagnostics.contains { $0.code == "SP1054" && $0.message.contains("\"x\"") })
    for (address, isTrusted) in [("10.1.2.3", true), ("192.0.2.1", true), ("192.0.2.2", false), ("::1", false)] {
      #expect(policy.expectsHeader(from: try #require(IPAddress(address))) == isTrusted, "\(address)")
    }
  }

  @Test func `a mistake in the trusted sources trusts nobody instead of everybody`() throws {
    let snapshot = compile(
      Self.gateway(
        Self.server("\"*\"", 80, "HTTP"),
        annotations: "{sallyport.dev/proxy-protocol: \"*\", sallyport.dev/proxy-protocol-trusted-sources: nonsense}")
    ).snapshot
    let policy = try #require(snapshot.proxyProtocols.first)
    #expect(!policy.expectsHeader(from: IPAddress(v4: 0x7F00_0001)))
  }

  @Test func `gatewayTopology asks for it on every listener`() {
    let snapshot = compile(
      Self.gateway(Self.server("\"*\"", 80, "HTTP"), Self.server("\"*\"", 9000, "TCP")),
      """
      ---
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata: {name: o, namespace: n}
      spec: {meshConfig: {defaultConfig: {gatewayTopology: {proxyProtocol: {}}, concurrency: 2}}}

      """
    ).snapshot
    #expect(snapshot.listeners.map(\.proxyProtocol) == [0, 0])
    #expect(snapshot.proxyProtocols.map(\.trustedSources) == [[]])
  }

  /// DestinationRule → proxyProtocol and tunnel of the cluster for subset `s`.
  @Test(arguments: [
    ("trafficPolicy: {proxyProtocol: {version: V2}}", "v2", ""),
    ("trafficPolicy: {proxyProtocol: {}}", "v1", ""),
    ("trafficPolicy: {tunnel: {targetHost: db.test, targetPort: 3306}}", "-", "CONNECT db.test:3306"),
    (
      "trafficPolicy: {tunnel: {protocol: POST, targetHost: \"2001:db8::1\", targetPort: 1}}", "-",
      "POST [2001:db8::1]:1"
    ),
    // An entry for the port has neither.
    (
      "trafficPolicy: {proxyProtocol: {version: V2}, portLevelSettings: [{port: {number: 443}, tls: {mode: DISABLE}}]}",
      "-", ""
    ),
    // The subset's is in force only where it is set.
    (
      "trafficPolicy: {proxyProtocol: {version: V2}}, subsets: [{name: s, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]",
      "v2", ""
    ),
    (
      "trafficPolicy: {proxyProtocol: {version: V2}}, subsets: [{name: s, trafficPolicy: {proxyProtocol: {version: V1}}}]",
      "v1", ""
    ),
  ])
  func `policies of connections`(_ rule: String, _ version: String, _ tunnel: String) throws {
    let subset = rule.contains("subsets") ? ", subset: s" : ""
    let snapshot = compile(
      Self.gateway(Self.server("\"*\"", 9000, "TCP")),
      Self.service("tcp: [{route: [{destination: {host: one.example\(subset)}}]}]"),
      """
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: one, namespace: n}
      spec: {host: one.example, \(rule)}

      """
    ).snapshot
    let settings = try #require(snapshot.clusters.first).settings
    #expect(settings.proxyProtocol.map { "\($0)" } ?? "-" == version)
    #expect(settings.tunnel.map { "\($0.usesPOST ? "POST" : "CONNECT") \($0.target)" } ?? "" == tunnel)
    #expect(settings.tcpIdleTimeoutMilliseconds == 3_600_000)
  }
}

extension String {
  /// Port names of a Gateway must differ.
  fileprivate var replacingPortNames: String {
    var count = 0
    return split(separator: "name: p443", omittingEmptySubsequences: false).map(String.init).reduce("") { text, part in
      defer { count += 1 }
      return count == 0 ? part : "\(text)name: p\(count)\(part)"
    }
  }
}
