import Testing

@testable import Resources
@testable import Routing

/// `--publish` names ports that Gateways of the instance have.
@Suite struct PublishedPortsTests {
  private static let gateways = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec:
      selector: {app: edge}
      servers:
      - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
      - {port: {number: 443, name: tls, protocol: TLS}, hosts: ["*"], tls: {mode: PASSTHROUGH}}
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: other, namespace: n}
    spec:
      selector: {app: other}
      servers: [{port: {number: 99, name: http, protocol: HTTP}, hosts: ["*"]}]
    """

  @Test(arguments: [
    ([80: 21080], nil), ([80: 21080, 443: 21443], nil), ([:], nil),
    ([99: 21080], "--publish 21080:99: no Gateway of the instance has port 99 (they have 80, 443)"),
    (
      [21443: 443],
      "--publish 443:21443: no Gateway of the instance has port 21443 (they have 80, 443); did you mean --publish 21443:443?"
    ),
  ])
  func `a port that no Gateway has is said`(_ publish: [Int: Int], _ problem: String?) {
    let resources = Marked.load(Self.gateways).resources
    let identity = InstanceIdentity(name: "edge", namespace: "n", labels: ["app": "edge"])
    var options = CompilerOptions()
    options.publish = publish
    #expect(PublishedPorts.problem(options, resources, instances: [identity]) == problem)
    let output = SnapshotCompiler(
      resources, identity: identity, readinessProbes: [], options: options, readFile: { _ in nil }
    ).compile(generation: 1)
    #expect(output.diagnostics.filter { $0.code == "SP1061" }.map(\.message) == [problem].compactMap { $0 })
  }

  @Test func `where no Gateway selects the instance, that is what is said`() {
    let resources = Marked.load(Self.gateways).resources
    var options = CompilerOptions()
    options.publish = [1: 2]
    #expect(PublishedPorts.problem(options, resources, instances: [InstanceIdentity()]) == nil)
  }
}
