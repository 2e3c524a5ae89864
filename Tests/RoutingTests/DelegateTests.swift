import Testing
import Wire

@testable import Resources
@testable import Routing

/// Rules that other VirtualServices go on with.
@Suite struct DelegateTests {
  /// The configuration: the root's rules in namespace `n`, a delegate `n2/d` with `rules`.
  private func compiled(root: String, delegate rules: String, exportTo: String = "'*'") -> SnapshotCompiler.Output {
    compile(
      routing(root) + """
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: d, namespace: n2}
        spec:
          exportTo: [\(exportTo)]
          http:
        \(rules.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: short, namespace: n2}
        spec:
          hosts: [short.n2.svc.cluster.local]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          endpoints: [{address: 127.0.0.2}]

        """)
  }

  private let delegation = "delegate: {name: d, namespace: n2}"

  /// The paths of the rules with the names of their routes.
  private func rules(_ output: SnapshotCompiler.Output) -> [String] {
    output.snapshot.rules.map {
      output.snapshot.pathText($0) + " " + output.snapshot.routeFacts[Int($0.route)].name
    }
  }

  @Test func `every pair of conditions that can hold together becomes a rule`() {
    let output = compiled(
      root: "- name: root\n  match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]\n  \(delegation)",
      delegate: """
        - name: leaf
          match: [{uri: {prefix: /a/x}}, {uri: {exact: /b}}, {uri: {prefix: /c}}]
          route: [{destination: {host: up.example}}]
        - route: [{destination: {host: up.example}}]
        """)
    #expect(rules(output) == ["/a/x* root-leaf", "/b root-leaf", "/a* root", "/b* root"])
    #expect(output.diagnostics.filter { $0.severity == .error }.isEmpty)
  }

  @Test func `a delegate's short names are those of its namespace`() {
    let output = compiled(root: "- \(delegation)", delegate: "- route: [{destination: {host: short}}]")
    #expect(output.snapshot.clusters.map(\.name) == ["outbound|80||short.n2.svc.cluster.local"])
  }

  @Test func `what the delegate leaves open is the root's`() throws {
    let output = compiled(
      root: "- timeout: 5s\n  retries: {attempts: 7, retryOn: reset}\n  \(delegation)",
      delegate: "- timeout: 2s\n  route: [{destination: {host: up.example}}]")
    let route = try #require(output.snapshot.routes.first)
    #expect(route.timeoutMilliseconds == 2000 && output.snapshot.retryPolicy(route).attempts == 7)
  }

  @Test(arguments: [
    ("uri: {prefix: /a}", "uri: {prefix: /a/b}", true), ("uri: {prefix: /a/b}", "uri: {prefix: /a}", false),
    ("uri: {exact: /a}", "uri: {exact: /a}", true), ("uri: {exact: /a}", "uri: {prefix: /a}", false),
    ("uri: {regex: a}", "uri: {regex: a}", true), ("uri: {regex: a}", "uri: {prefix: /a}", false),
    ("method: {exact: GET}", "method: {exact: PUT}", false), ("method: {exact: GET}", "uri: {prefix: /}", true),
    ("headers: {a: {exact: '1'}}", "headers: {a: {exact: '2'}}", false),
    ("headers: {a: {exact: '1'}}", "headers: {b: {exact: '2'}}", true),
    ("queryParams: {a: {exact: '1'}}", "queryParams: {a: {exact: '2'}}", false), ("port: 80", "port: 81", false),
    ("port: 80", "port: 80", true), ("sourceNamespace: n", "sourceNamespace: other", false),
    ("gateways: [g]", "gateways: [n/g]", true), ("gateways: [g]", "gateways: [n/other]", false),
    ("uri: {prefix: /a}, ignoreUriCase: true", "uri: {prefix: /a}", false),
  ])
  func `conditions that exclude each other leave the rule out, which is said`(root: String, leaf: String, holds: Bool) {
    let output = compiled(
      root: "- match: [{\(root)}]\n  \(delegation)",
      delegate: "- match: [{\(leaf)}]\n  route: [{destination: {host: up.example}}]")
    #expect(output.snapshot.rules.count == (holds ? 1 : 0))
    #expect(output.diagnostics.contains { $0.code == "SP1051" } == !holds)
  }

  @Test func `conditions on other things add up`() throws {
    let output = compiled(
      root: "- match: [{uri: {prefix: /a}, headers: {one: {exact: '1'}}}]\n  \(delegation)",
      delegate: "- match: [{headers: {two: {}}, method: {exact: GET}}]\n  route: [{destination: {host: up.example}}]")
    let rule = try #require(output.snapshot.rules.first)
    #expect(output.snapshot.pathText(rule) == "/a*" && rule.predicateCount == 3)
  }

  @Test func `a delegate that is missing or not exported leaves the rule out, which is an error`() {
    let missing = compiled(
      root: "- delegate: {name: x}\n- route: [{destination: {host: up.example}}]",
      delegate: "- route: [{destination: {host: up.example}}]")
    #expect(missing.diagnostics.contains { $0.code == "IST0101" && $0.message.contains("\"n/x\"") })
    #expect(missing.snapshot.rules.count == 1)
    let hidden = compiled(
      root: "- \(delegation)", delegate: "- route: [{destination: {host: up.example}}]", exportTo: "other")
    #expect(hidden.diagnostics.contains { $0.code == "IST0101" } && hidden.snapshot.rules.isEmpty)
  }
}
