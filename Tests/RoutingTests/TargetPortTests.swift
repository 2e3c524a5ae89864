import Testing

@testable import Resources
@testable import Routing

/// The socket of a Gateway's port: what the `targetPort` of the instance's Service says.
@Suite struct TargetPortTests {
  private static let gateway = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec: {selector: {app: g}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}

    """

  private static func service(_ ports: String) -> String {
    """
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: s, namespace: n}
    spec: {selector: {app: g}, ports: [\(ports)]}

    """
  }

  private static func deployment(_ name: String, app: String = "g", _ ports: String) -> String {
    """
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: \(name), namespace: n}
    spec: {template: {metadata: {labels: {app: \(app), x: y}}, spec: {containers: [{ports: [\(ports)]}]}}}

    """
  }

  private static func component(_ ports: String, enabled: Bool = true, label: String = "g") -> String {
    """
    ---
    apiVersion: install.istio.io/v1alpha1
    kind: IstioOperator
    spec:
      namespace: n
      components:
        egressGateways:
        - {name: edge, enabled: \(enabled), label: {app: \(label)}, k8s: {service: {ports: [\(ports)]}}}

    """
  }

  private static let named = service("{name: http, port: 80, targetPort: web}")

  private static func compile(_ yaml: String, publish: [Int: Int] = [:]) -> (ports: [UInt16], said: [Diagnostic]) {
    let loaded = Marked.load(gateway + yaml)
    #expect(loaded.diagnostics == [])
    var options = CompilerOptions()
    options.publish = publish
    let output = SnapshotCompiler(
      loaded.resources, identity: InstanceIdentity(name: "edge", namespace: "n", labels: ["app": "g"]),
      readinessProbes: [], options: options, readFile: { _ in nil }
    ).compile(generation: 1)
    return (output.snapshot.listeners.map(\.bindPort), output.diagnostics)
  }

  @Test(arguments: [
    ("", [80]), (service("{port: 80, targetPort: 8080}"), [8080]), (service("{port: 80}"), [80]),
    (named + deployment("edge", "{name: web, containerPort: 8080}"), [8080]),
    // The instance's own Deployment counts before others that the Service selects.
    (
      named + deployment("a", "{name: web, containerPort: 1}") + deployment("edge", "{name: web, containerPort: 2}"),
      [2]
    ),
    (named + deployment("a", "{name: web, containerPort: 8080}"), [8080]),
    (component("{port: 80, targetPort: 8080}"), [8080]), (component("{port: 80}"), [80]),
    (component("{port: 443, targetPort: 8443}"), [80]),
    (component("{port: 80, targetPort: 8080}", enabled: false), [80]),
    (component("{port: 80, targetPort: 8080}", label: "other"), [80]),
    (component("{port: 80, targetPort: web}") + deployment("edge", "{name: web, containerPort: 8080}"), [8080]),
    // A Service proper is the newer word.
    (component("{port: 80, targetPort: 8080}") + service("{port: 80, targetPort: 9090}"), [9090]),
  ])
  func `the Service's target port is bound`(_ yaml: String, _ ports: [UInt16]) {
    let outcome = Self.compile(yaml)
    #expect(outcome.ports == ports)
    #expect(outcome.said == [])
  }

  @Test(arguments: [
    (named, "Service n/s", "web"),
    (named + deployment("edge", "{name: other, containerPort: 8080}"), "Service n/s", "web"),
    (named + deployment("edge", app: "other", "{name: web, containerPort: 8080}"), "Service n/s", "web"),
    (component("{port: 80, targetPort: http2}"), "component edge", "http2"),
  ])
  func `a name that no container port has is said, where it is`(_ yaml: String, _ owner: String, _ name: String) throws
  {
    let outcome = Self.compile(yaml)
    #expect(outcome.ports == [80])
    let finding = try #require(outcome.said.first)
    #expect(outcome.said.count == 1 && finding.code == "SP1065" && finding.severity == .warning)
    #expect(
      finding.message
        == "targetPort \"\(name)\" of \(owner) names no container port of a Deployment that it selects: port 80 is bound as it is"
    )
    let lines = (Self.gateway + yaml).split(separator: "\n", omittingEmptySubsequences: false)
    let place = try #require(finding.location)
    #expect(lines[place.line - 1].dropFirst(place.column - 1).hasPrefix(name))
  }

  @Test func `what is published needs no name`() {
    let outcome = Self.compile(Self.named, publish: [80: 18080])
    #expect(outcome.ports == [18080] && outcome.said == [])
  }

  // MARK: Upstreams

  private static func upstream(_ service: String, _ rest: String = "") -> Cluster.Settings? {
    let yaml =
      routing("- route: [{destination: {host: web}}]") + """
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: n}
        spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: main}]\(service)}

        """ + rest
    return compiled(yaml).snapshot.clusters.first?.settings
  }

  @Test func `endpoints of a named target port have the numbers of their slices`() {
    let slice = { (name: String, port: Int, address: String) in
      """
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: web-\(port), namespace: n, labels: {kubernetes.io/service-name: web}}
      ports: [{name: metrics, port: 9}, {name: \(name), port: \(port)}]
      endpoints: [{addresses: [\(address)]}]

      """
    }
    // Pods of one Service may give one name to different numbers.
    let settings = Self.upstream("", slice("http", 8080, "10.0.0.1") + slice("http", 8081, "10.0.0.2"))
    #expect(settings?.endpoints.map { "\($0.address):\($0.port)" } == ["10.0.0.1:8080", "10.0.0.2:8081"])
  }

  @Test func `a headless Service without slices is asked for at its target port`() {
    let deployment = """
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: n}
      spec:
        template: {metadata: {labels: {app: web}}, spec: {containers: [{ports: [{name: main, containerPort: 8080}]}]}}

      """
    #expect(Self.upstream(", clusterIP: None", deployment)?.dnsNames.map(\.port) == [8080])
    #expect(Self.upstream(", clusterIP: None")?.dnsNames.map(\.port) == [80])
    // An address in front of the pods translates the port.
    #expect(Self.upstream("", deployment)?.dnsNames.map(\.port) == [80])
    #expect(Self.upstream(", clusterIP: 10.1.1.1", deployment)?.endpoints.map(\.port) == [80])
  }

  @Test func `a WorkloadEntry says the number of a named target port`() {
    let workload = { (ports: String) in
      """
      ---
      apiVersion: networking.istio.io/v1
      kind: WorkloadEntry
      metadata: {name: w, namespace: n}
      spec: {address: 10.0.0.9, labels: {app: web}, ports: {\(ports)}}

      """
    }
    for ports in ["http: 8080", "main: 8080", "http: 8080, main: 1"] {
      #expect(Self.upstream("", workload(ports))?.endpoints.map(\.port) == [8080], "\(ports)")
    }
  }
}

/// The test target's own `compile`, where a suite has one of the same name.
private func compiled(_ yaml: String) -> SnapshotCompiler.Output { compile(yaml) }
