import Testing

@testable import Resources
@testable import Routing

/// Probes of an instance: those that can be made, and what is said of the others.
@Suite struct ProbeTests {
  private static let subsets = """
    ---
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: up, namespace: n}
    spec: {host: up.example, subsets: [{name: v1}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: other, namespace: n}
    spec: {hosts: [other.example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: hidden, namespace: elsewhere}
    spec:
      {hosts: [hidden.example], exportTo: [.], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}

    """

  private static func probe(_ spec: String, namespace: String = "n") -> String {
    """
    ---
    apiVersion: sallyport.dev/v1alpha1
    kind: UpstreamProbe
    metadata: {name: p, namespace: \(namespace)}
    spec: {\(spec), probe: {tcpSocket: {}}}

    """
  }

  private static let mesh = "route: [{destination: {host: web.n.svc.cluster.local, port: {number: 80}}}]"

  private static func outcome(
    _ spec: String, namespace: String = "n", rule: String = "- route: [{destination: {host: up.example}}]"
  ) -> SnapshotCompiler.Output {
    compile(routing(rule) + subsets + probe(spec, namespace: namespace))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let spec: String
    var namespace = "n"
    var rule = "- route: [{destination: {host: up.example}}]"
    var said: [String] = []
    /// Why the instance is not ready.
    var reason: String?
    var probes = 0
    var testDescription: String { "\(namespace): \(spec)" }
  }

  @Test(arguments: [
    Case(spec: "host: up.example, port: 80", probes: 1),
    Case(
      spec: "host: up.exampel, port: 80",
      said: [#"error[IST0101] up.exampel: Referenced host not found: "up.exampel" (did you mean "up.example"?)"#],
      reason: #"Referenced host not found: "up.exampel""#),
    // Whose it would be, nobody knows: its namespace says.
    Case(
      spec: "host: gone.test, port: 80", namespace: "other",
      said: [#"error[IST0101] gone.test: Referenced host not found: "gone.test" (declare it with a ServiceEntry)"#]),
    Case(
      spec: "host: up.example, port: 81", namespace: "other",
      said: [#"error[IST0101] 81: Referenced host:port not found: "up.example:81" (the host has port 80)"#],
      reason: #"Referenced host:port not found: "up.example:81""#),
    Case(
      spec: "host: up.example, port: 80, subset: v2",
      said: [
        #"error[IST0101] v2: Referenced host+subset in destinationrule not found: "up.example+v2" (did you mean "v1"?)"#
      ], reason: #"Referenced host+subset in destinationrule not found: "up.example+v2""#),
    Case(
      spec: "host: up.example, port: 81, subset: zzzzz",
      said: [
        #"error[IST0101] 81: Referenced host:port not found: "up.example:81" (the host has port 80)"#,
        #"error[IST0101] zzzzz: Referenced host+subset in destinationrule not found: "up.example+zzzzz" (the host has v1)"#,
      ], reason: #"Referenced host:port not found: "up.example:81""#),
    // Not routed to by this instance: another's.
    Case(spec: "host: other.example, port: 80"), Case(spec: "host: up.example, port: 80, subset: v1"),
    Case(spec: "host: hidden.example, port: 80"),
    Case(
      spec: "host: other.example, port: 81",
      said: [#"error[IST0101] 81: Referenced host:port not found: "other.example:81" (the host has port 80)"#]),
    // In no Service of the configuration: rules say what there is.
    Case(spec: "host: web, port: 80", rule: "- \(mesh)", probes: 1), Case(spec: "host: web, port: 80"),
    Case(
      spec: "host: web, port: 81", rule: "- \(mesh)",
      said: [
        "warning[SP1064] 81: no rule of the instance leads to web.n.svc.cluster.local:81: the probe is not run here (rules lead to port 80)"
      ]),
  ])
  func `a probe of what is not there is said, and its instance is not ready`(_ testCase: Case) {
    let text = routing(testCase.rule) + Self.subsets + Self.probe(testCase.spec, namespace: testCase.namespace)
    let output = compile(text)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let said = output.diagnostics.filter { $0.resource?.hasPrefix("UpstreamProbe") ?? false }.map { diagnostic in
      let line = lines[(diagnostic.location?.line ?? 1) - 1]
      let token = line.dropFirst((diagnostic.location?.column ?? 1) - 1).prefix(diagnostic.location?.length ?? 0)
      let help = diagnostic.help.map { " (\($0))" } ?? ""
      return "\(diagnostic.severity.label)[\(diagnostic.code)] \(token): \(diagnostic.message)\(help)"
    }
    #expect(said == testCase.said)
    #expect(output.snapshot.unmadeProbes.map(\.reason) == [testCase.reason].compactMap { $0 })
    #expect(output.snapshot.unmadeProbes.allSatisfy { $0.gatesReadiness && $0.name == "\(testCase.namespace)/p" })
    #expect(output.snapshot.probes.count == testCase.probes)
  }

  @Test func `a probe that does not gate readiness does not gate it when it cannot be made`() {
    let output = Self.outcome("host: gone.test, port: 80, gates: [loadBalancing]")
    #expect(output.snapshot.unmadeProbes.map(\.gatesReadiness) == [false])
  }

  @Test func `a TCP probe may ask another port than that of traffic`() {
    let text = routing("- route: [{destination: {host: up.example}}]") + Self.probe("host: up.example, port: 80")
    let other = compile(text.replacing("tcpSocket: {}", with: "tcpSocket: {port: 9000}")).snapshot.probes
    #expect(other.map(\.portOverride) == [9000] && other.map(\.target) == ["connect to up.example:9000"])
    let same = compile(text.replacing("tcpSocket: {}", with: "tcpSocket: {port: 80}")).snapshot.probes
    #expect(same.map(\.portOverride) == [nil])
  }

  // MARK: Readiness probes

  private static func component(_ command: String) -> (probes: [Probe], said: [String]) {
    let yaml =
      """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      spec:
        namespace: n
        components:
          egressGateways:
          - {name: eg, enabled: true, k8s: {readinessProbe: {exec: {command: \(command)}}}}
      ---

      """ + routing("- route: [{destination: {host: up.example}}]")
    let loaded = Marked.load(yaml)
    let entry = InstanceCatalog.instances(in: loaded.resources)[0]
    let output = SnapshotCompiler(
      loaded.resources, identity: entry.identity, readinessProbes: entry.readinessProbes, options: CompilerOptions(),
      readFile: { _ in nil }
    ).compile(generation: 1)
    let said = output.diagnostics.map { "\($0.severity.label)[\($0.code)] \($0.location?.line ?? 0): \($0.message)" }
    return (output.snapshot.probes, loaded.diagnostics.map(\.message) + said)
  }

  @Test(arguments: [
    ("[cat, /tmp/ready]", #""cat /tmp/ready" is not acted on"#),
    ("[sh, -c, \"wget http://up.example/\"]", #""wget http://up.example/" is not acted on"#),
    (
      "[curl, http://gone.test/x]",
      "http://gone.test/x is not acted on, no rule of the instance leads to gone.test:80"
    ),
    (
      "[curl, -d, a=b, http://up.example/]",
      #"-d of "curl -d a=b http://up.example/" is not acted on"#
    ),
    ("[curl, ftp://up.example/]", "ftp://up.example/ is not acted on"),
  ])
  func `what of a readiness probe is not acted on is said`(_ command: String, _ message: String) {
    let outcome = Self.component(command)
    let code = command.contains("gone") ? "SP1064" : "SP1001"
    #expect(outcome.said == ["warning[\(code)] 7: readiness probe of n/eg: \(message)"])
    #expect(outcome.probes.count == (command.contains("-d") ? 1 : 0))
  }

  @Test func `curl's method and fields are those of the probe`() throws {
    let outcome = Self.component("[curl, -XPOST, -H, 'Host: a.test', -H, 'X-A: b', 'http://up.example/x?y']")
    #expect(outcome.said == [])
    let probe = try #require(outcome.probes.first)
    #expect(probe.target == "POST http://up.example/x?y")
    guard case .httpGet(let request) = probe.kind else { return #expect(Bool(false), "\(probe.kind)") }
    #expect(
      String(decoding: request, as: UTF8.self).split(separator: "\r\n") == [
        "POST /x?y HTTP/1.1", "host: a.test", "user-agent: sallyport-probe", "accept: */*", "connection: close",
        "content-length: 0", "X-A: b",
      ])
  }
}
