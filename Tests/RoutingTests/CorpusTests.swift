import Testing
import Wire

@testable import Resources
@testable import Routing

/// Each file of `Tests/Corpus/broken` beside good resources: what is wrong is said at the exact place, and the good
/// route goes on serving. The end-to-end tests do the same with the running program.
@Suite struct CorpusTests {
  static let files = Repository.files(below: "\(Repository.root)/Tests/Corpus/broken", suffix: ".yaml")

  private static let good = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: good, namespace: test}
    spec:
      selector: {app: gateway}
      servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: good, namespace: test}
    spec:
      hosts: [good.example.com]
      gateways: [good]
      http: [{route: [{destination: {host: good.upstream}}]}]
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: good, namespace: test}
    spec:
      hosts: [good.upstream]
      ports: [{number: 80, name: http, protocol: HTTP}]
      resolution: STATIC
      endpoints: [{address: 127.0.0.1}]
    """

  @Test func `there are many of them`() {
    #expect(Self.files.count >= 60)
  }

  @Test(arguments: files)
  func `a broken resource is said at its place and harms nobody`(_ file: String) throws {
    let text = try Repository.text(file)
    let marked = Marked(text)
    #expect(!marked.findings.isEmpty, "the file has no mark")
    var loaded = Marked.load(Self.good, file: "good.yaml")
    ResourceLoader.load(text: Array(text.utf8), file: "broken.yaml", into: &loaded)
    // What is not acted on changes with the program, and is no mistake.
    let diagnostics = Marked.check(loaded).filter { $0.code != "SP1001" }
    let own = diagnostics.filter { $0.location?.file == "broken.yaml" }
    #expect(Marked.places(own) == marked.findings, "\(own.map(\.message))")
    #expect(diagnostics.count == own.count, "\(diagnostics.map(\.message))")
    #expect(try serves(loaded.resources) == "outbound|80||good.upstream")
  }

  /// The cluster that `GET http://good.example.com/` goes to.
  private func serves(_ resources: ResourceSet) throws -> String? {
    let identity = InstanceIdentity(name: "gateway", namespace: "test", labels: ["app": "gateway"])
    let snapshot = SnapshotCompiler(
      resources, identity: identity, readinessProbes: [], options: CompilerOptions(), readFile: { _ in nil }
    ).compile(generation: 1).snapshot
    let listener = try #require(snapshot.listeners.first { $0.bindPort == 80 })
    #expect(listener.kind == .http)
    let name = "\(listener.routeConfiguration)"
    let index = snapshot.virtualHostFacts.firstIndex {
      $0.domain == "good.example.com" && "\($0.routeConfiguration)" == name
    }
    let host = snapshot.virtualHosts[try #require(index)]
    let route = snapshot.routes[Int(snapshot.rules[Int(host.firstRule)].route)]
    let cluster = snapshot.destinations[Int(route.firstDestination)].cluster
    return cluster < 0 ? nil : snapshot.clusters[Int(cluster)].name
  }
}
