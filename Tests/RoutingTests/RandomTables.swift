import Testing
import Wire

@testable import Resources
@testable import Routing

/// Random configurations and requests that often meet: small alphabets, overlapping hosts and paths.
struct RandomTables {
  var random: RouteIndexTests.Generator

  init(seed: Int) {
    random = .init(state: UInt64(seed) &* 7919 &+ 13)
  }

  private static let segments = ["a", "b", "api", "v1", "ab", "A", ""]
  private static let hosts = ["a.example.com", "b.example.com", "*.example.com", "example.com", "*"]
  static let identity = InstanceIdentity(name: "i", namespace: "n", labels: ["app": "i"])

  private mutating func pick<Item>(_ items: [Item]) -> Item { items[Int.random(in: 0..<items.count, using: &random)] }

  mutating func path() -> String {
    "/" + (0..<Int.random(in: 0...3, using: &random)).map { _ in pick(Self.segments) }.joined(separator: "/")
  }

  private mutating func condition() -> String {
    let path = path()
    var parts = [
      pick([
        "uri: {exact: \"\(path)\"}", "uri: {prefix: \"\(path)\"}", "uri: {regex: \"\(path)[a-z]*\"}",
        "ignoreUriCase: true, uri: {prefix: \"\(path)\"}", "uri: {prefix: \"/\"}",
      ])
    ]
    if Int.random(in: 0..<3, using: &random) == 0 { parts.append("method: {exact: \(pick(["GET", "POST"]))}") }
    if Int.random(in: 0..<3, using: &random) == 0 {
      parts.append(
        pick([
          "headers: {x-kind: {exact: \"1\"}}", "headers: {x-kind: {}}", "headers: {x-kind: {regex: \"[0-9]+\"}}",
          "withoutHeaders: {x-kind: {exact: \"1\"}}", "withoutHeaders: {x-kind: {}}",
        ]))
    }
    if Int.random(in: 0..<4, using: &random) == 0 { parts.append("queryParams: {q: {exact: a}}") }
    if Int.random(in: 0..<6, using: &random) == 0 { parts.append("scheme: {exact: \(pick(["http", "https"]))}") }
    if Int.random(in: 0..<6, using: &random) == 0 { parts.append("authority: {prefix: a}") }
    if Int.random(in: 0..<6, using: &random) == 0 { parts.append("gateways: [\(pick(["g", "other"]))]") }
    return "{\(parts.joined(separator: ", "))}"
  }

  private mutating func action(_ index: Int) -> String {
    pick([
      "route: [{destination: {host: one.test}}]",
      "route: [{destination: {host: two.test}, weight: 1}, {destination: {host: one.test}, weight: 3}]",
      "directResponse: {status: 200, body: {string: r\(index)}}",
      "redirect: {uri: /r\(index)}", "rewrite: {uri: /r\(index)}, route: [{destination: {host: two.test}}]",
    ])
  }

  /// A Gateway and up to four VirtualServices.
  mutating func configuration() -> String {
    let tls = Int.random(in: 0..<5, using: &random) == 0 ? ", tls: {httpsRedirect: true}" : ""
    var yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g, namespace: n}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]\(tls)}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata: {name: e, namespace: n}
      spec:
        hosts: [one.test, two.test]
        resolution: DNS
        ports: [{number: 80, name: http, protocol: HTTP}]

      """
    for service in 0..<Int.random(in: 1...4, using: &random) {
      yaml += """
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: v\(service), namespace: n}
        spec:
          hosts: ["\(pick(Self.hosts))"]
          gateways: [g]
          http:

        """
      for index in 0..<Int.random(in: 1...20, using: &random) {
        let matches = (0..<Int.random(in: 1...2, using: &random)).map { _ in condition() }.joined(separator: ", ")
        yaml += "  - {name: v\(service)r\(index), match: [\(matches)], \(action(index))}\n"
      }
    }
    return yaml
  }

  mutating func request() -> SampleRequest {
    let host = pick(["a.example.com", "b.example.com", "c.example.com", "example.com", "other.test", "A.example.COM"])
    var request = SampleRequest(
      isTLS: false, port: 80, authority: host + pick(["", ":80"]), target: path() + pick(["", "", "?q=a", "?x&q=b"]))
    request.method = pick(["GET", "POST", "PUT"])
    if Bool.random(using: &random) { request.add("X-Kind", pick(["1", "2", "x"])) }
    return request
  }

  static func resources(_ yaml: String) -> ResourceSet {
    var loaded = LoadResult()
    ResourceLoader.load(text: Array(yaml.utf8), file: "test.yaml", into: &loaded)
    #expect(loaded.diagnostics.filter { $0.severity == .error }.isEmpty, "\(loaded.diagnostics)")
    return loaded.resources
  }

  static func compile(_ yaml: String, identity: InstanceIdentity = identity) -> Snapshot {
    SnapshotCompiler(
      resources(yaml), identity: identity, readinessProbes: [], options: CompilerOptions(), readFile: { _ in nil }
    ).compile(generation: 1).snapshot
  }
}
