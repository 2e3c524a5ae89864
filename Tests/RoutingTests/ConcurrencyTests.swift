import Testing

@testable import Resources
@testable import Routing

/// Which ProxyConfig says how many workers an instance has.
@Suite struct ConcurrencyTests {
  private static func config(_ name: String, _ namespace: String, _ spec: String) -> String {
    """
    apiVersion: networking.istio.io/v1beta1
    kind: ProxyConfig
    metadata: {name: \(name), namespace: \(namespace)}
    spec: {\(spec)}
    ---

    """
  }

  private static let mesh = config("a", "istio-system", "concurrency: 1")
  private static let namespace = config("b", "edge", "concurrency: 2")
  private static let own = config("c", "edge", "concurrency: 3, selector: {matchLabels: {app: edge}}")
  private static let younger = config("d", "edge", "concurrency: 4, selector: {matchLabels: {app: edge}}")
  private static let stranger = config("a", "edge", "concurrency: 5, selector: {matchLabels: {app: other}}")
  private static let elsewhere = config("a", "other", "concurrency: 6")

  private static let cases: [(String, Int?)] = [
    ("", nil), (mesh, 1), (mesh + namespace, 2), (mesh + namespace + own, 3), (younger + own, 3), (stranger, nil),
    (elsewhere + mesh, 1), (config("z", "edge", "concurrency: 0"), 0), (mesh + config("z", "edge", "image: {}"), 1),
  ]

  @Test(arguments: cases)
  func `the nearest one counts`(_ yaml: String, _ concurrency: Int?) {
    let identity = InstanceIdentity(name: "edge", namespace: "edge", labels: ["app": "edge"])
    let snapshot = SnapshotCompiler(
      Marked.load(yaml).resources, identity: identity, readinessProbes: [], options: CompilerOptions(),
      readFile: { _ in nil }
    ).compile(generation: 1).snapshot
    #expect(snapshot.settings.concurrency == concurrency)
  }
}
