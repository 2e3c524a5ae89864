import Testing
import Wire

@testable import Resources
@testable import Routing

/// The compiled index must choose what a scan from the top would choose.
@Suite struct RouteIndexTests {
  /// A small deterministic generator: a failure can be repeated by its seed.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 33)
    }
  }

  private static let segments = ["a", "b", "api", "v1", "ab", "A", "x-y", ""]

  private static func path(_ random: inout Generator) -> String {
    let count = Int.random(in: 0...4, using: &random)
    return "/" + (0..<count).map { _ in segments.randomElement(using: &random) ?? "" }.joined(separator: "/")
  }

  /// A VirtualService with many overlapping rules.
  private static func configuration(_ random: inout Generator) -> String {
    var yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g, namespace: n}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v, namespace: n}
      spec:
        hosts: ["*"]
        gateways: [g]
        http:

      """
    for index in 0..<Int.random(in: 1...60, using: &random) {
      let path = path(&random)
      let uri =
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: "uri: {exact: \"\(path)\"}"
        case 2, 3: "uri: {prefix: \"\(path)\"}"
        case 4: "uri: {regex: \"\(path)[a-z]*\"}"
        default: "ignoreUriCase: true, uri: {prefix: \"\(path)\"}"
        }
      let extra =
        switch Int.random(in: 0..<5, using: &random) {
        case 0: ", headers: {x-kind: {exact: \"1\"}}"
        case 1: ", method: {exact: POST}"
        case 2: ", queryParams: {q: {prefix: a}}"
        default: ""
        }
      yaml += "  - {name: r\(index), match: [{\(uri)\(extra)}], directResponse: {status: 200}}\n"
    }
    return yaml
  }

  private static func compile(_ yaml: String) -> Snapshot {
    var loaded = LoadResult()
    ResourceLoader.load(text: Array(yaml.utf8), file: "test.yaml", into: &loaded)
    #expect(loaded.diagnostics.isEmpty, "\(loaded.diagnostics)")
    let identity = InstanceIdentity(name: "i", namespace: "n")
    return SnapshotCompiler(
      loaded.resources, identity: identity, readinessProbes: [], options: CompilerOptions(), readFile: { _ in nil }
    ).compile(generation: 1).snapshot
  }

  @Test(arguments: 0..<60)
  func `chooses the first match like a scan`(_ seed: Int) {
    var random = Generator(state: UInt64(seed) &+ 99)
    let snapshot = Self.compile(Self.configuration(&random))
    let context = MatchContext()
    for _ in 0..<200 {
      let method = Bool.random(using: &random) ? "GET" : "POST"
      let query = ["", "?q=abc", "?z=1&q=b", "?q"].randomElement(using: &random) ?? ""
      let header = Bool.random(using: &random) ? "X-Kind: 1\r\n" : ""
      let text = "\(method) \(Self.path(&random))\(query) HTTP/1.1\r\nHost: h\r\n\(header)\r\n"
      let bytes = Array(text.utf8)
      var parser = HTTP1HeadParser()
      var head = RequestHead()
      guard case .complete = parser.parseRequest(bytes.span.raw, into: &head, limits: HTTP1Limits()) else {
        Issue.record("not parsed: \(text)")
        continue
      }
      let found = snapshot.match(routeConfiguration: 0, head: head, isTLS: false, context: context)
      let oracle = snapshot.matchByScan(routeConfiguration: 0, head: head, isTLS: false, context: context)
      #expect(found == oracle, "seed \(seed): \(text)")
    }
  }

  @Test func `really uses an index for many rules`() {
    var random = Generator(state: 5)
    var indexed = 0
    for _ in 0..<20 { indexed += Self.compile(Self.configuration(&random)).routeIndexes.count }
    #expect(indexed > 0)
  }
}

@Suite struct NameIndexTests {
  private func find(_ host: String, in names: [String]) -> Int32 {
    let index = NameIndex(names.enumerated().map { .init(scope: 3, name: $1, value: Int32($0)) })
    let bytes = Array(host.utf8)
    return index.find(bytes.span.raw, scope: 3)
  }

  @Test func `prefers exact, then the longest wildcard, then the star`() {
    let names = ["*", "*.com", "*.example.com", "a.example.com"]
    #expect(find("a.example.com", in: names) == 3)
    #expect(find("A.EXAMPLE.com", in: names) == 3)
    #expect(find("b.example.com", in: names) == 2)
    #expect(find("c.b.example.com", in: names) == 2)
    #expect(find("example.com", in: names) == 1)
    #expect(find("example.org", in: names) == 0)
    #expect(find("", in: names) == 0)
  }

  @Test func `does not let a wildcard match its own suffix`() {
    #expect(find("example.com", in: ["*.example.com"]) == -1)
    #expect(find(".example.com", in: ["*.example.com"]) == -1)
  }

  @Test func `keeps scopes apart`() {
    let index = NameIndex([.init(scope: 0, name: "a", value: 7)])
    let bytes = Array("a".utf8)
    #expect(index.find(bytes.span.raw, scope: 0) == 7)
    #expect(index.find(bytes.span.raw, scope: 1) == -1)
  }

  @Test func `finds all of ten thousand hosts`() {
    let index = NameIndex((0..<10_000).map { .init(scope: 0, name: "h\($0).example.com", value: Int32($0)) })
    for value in stride(from: 0, to: 10_000, by: 37) {
      let bytes = Array("h\(value).example.com".utf8)
      #expect(index.find(bytes.span.raw, scope: 0) == Int32(value))
    }
  }
}

@Suite struct PathNormalizerTests {
  private func normalize(_ path: String, _ mode: InstanceSettings.PathNormalization = .base) -> String? {
    let bytes = Array(path.utf8)
    switch PathNormalizer.normalize(bytes.span.raw, mode) {
    case .unchanged: return path
    case .changed(let result): return String(decoding: result, as: UTF8.self)
    case .refused: return nil
    }
  }

  @Test(arguments: [
    ("/", "/"), ("/a/b", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a/"), ("/a\\b", "/a/b"),
    ("/%61", "/a"), ("/a%2e%2e/b", "/a../b"), ("/a/%2e%2e/b", "/b"), ("/a//b", "/a//b"), ("/a%2Fb", "/a%2Fb"),
    ("/.x", "/.x"),
  ])
  func `brings paths into Istio's base form`(_ path: String, _ expected: String) {
    #expect(normalize(path) == expected)
  }

  @Test func `merges and decodes slashes where the mode says so`() {
    #expect(normalize("/a//b", .mergeSlashes) == "/a/b")
    #expect(normalize("/a%2f/b", .mergeSlashes) == "/a%2f/b")
    #expect(normalize("/a%2f/b%5Cc", .decodeAndMergeSlashes) == "/a/b/c")
    #expect(normalize("/a/../b", .none) == "/a/../b")
  }

  @Test func `refuses what leads above the root and the encoded NUL`() {
    #expect(normalize("/../a") == nil)
    #expect(normalize("/a/../../b") == nil)
    #expect(normalize("/a%00") == nil)
  }

  @Test func `is idempotent`() {
    for path in ["/a/./b/../c", "/%7Euser/%41", "/a\\..\\b"] {
      guard let once = normalize(path) else { continue }
      #expect(normalize(once) == once)
    }
  }
}
