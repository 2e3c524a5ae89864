import Testing

@testable import Resources

/// A key that is mistyped is said; that the field which it should have been is missing is a consequence, and is not.
@Suite struct MistypedKeysTests {
  private static let head = "hosts: [a.test]\ngateways: [gw]\nhttp:\n- "
  private static let to = "route: [{destination: {host: b.test}}]"

  @Test(arguments: [
    ("VirtualService", head + "rout: [{destination: {host: b.test}}]", "rout"),
    ("VirtualService", head + "rediect: {uri: /}", "rediect"),
    ("VirtualService", head + "directRespons: {status: 200}", "directRespons"),
    ("VirtualService", head + "delegat: {name: b}", "delegat"),
    ("VirtualService", head + "redirect: {autority: a.test}", "autority"),
    ("VirtualService", head + to + "\n  rewrite: {authorty: a.test}", "authorty"),
    ("VirtualService", head + to + "\n  rewrite: {uriRegexRewrite: {mach: /a, rewrite: /b}}", "mach"),
    ("VirtualService", head + to + "\n  fault: {abrt: {httpStatus: 500}}", "abrt"),
    ("VirtualService", "hosts: [a.test]\nhtp: [{\(to)}]", "htp"),
    ("VirtualService", "hosts: [a.test]\ntcpp: [{\(to)}]", "tcpp"),
    ("DestinationRule", "host: a.test\ntrafficPolicy: {outlierDetecton: {}}", "outlierDetecton"),
    ("DestinationRule", "host: a.test\ntrafficPolicy: {connectionPool: {tpc: {maxConnections: 1}}}", "tpc"),
    (
      "DestinationRule", "host: a.test\ntrafficPolicy: {portLevelSettings: [{port: {number: 1}, loadBalancr: {}}]}",
      "loadBalancr"
    ),
  ])
  func `a mistyped key is one error`(_ kind: String, _ spec: String, _ key: String) {
    let messages = load(kind, spec).diagnostics.map(\.message)
    #expect(messages == ["unknown field \"\(key)\""])
  }

  @Test(arguments: [
    ("VirtualService", head + "name: a", "HTTP route, redirect or direct_response is required"),
    ("VirtualService", head + "redirect: {}", "redirect must specify URI, authority, scheme, or port"),
    ("VirtualService", head + to + "\n  fault: {}", "HTTP fault injection must have an abort and/or a delay"),
    ("DestinationRule", "host: a.test\ntrafficPolicy: {}", "traffic policy must have at least one field"),
    (
      "DestinationRule", "host: a.test\ntrafficPolicy: {connectionPool: {}}",
      "connection pool must have at least one field"
    ),
  ])
  func `what is missing without such a key is said`(_ kind: String, _ spec: String, _ message: String) {
    #expect(load(kind, spec).diagnostics.map(\.message) == [message])
  }

  @Test func `a host and its own short form are one host`() {
    let found = load(
      "VirtualService", "hosts: [Web, web.n.svc.cluster.local, web.m.svc.cluster.local]\nhttp: [{\(Self.to)}]")
    #expect(found.diagnostics.map(\.message) == ["duplicate hosts in virtual service: Web & web.n.svc.cluster.local"])
    #expect(found.diagnostics.map(\.severity) == [.warning])
    #expect(found.resources.virtualServices.count == 1)
  }

  @Test(arguments: [
    ("spec: {ingressClassName: istio}", true), ("spec: {ingressClassName: nginx}", false), ("spec: {}", false),
    ("metadata: {name: i, annotations: {kubernetes.io/ingress.class: istio}}\nspec: {rules: [{host: a}]}", true),
    ("metadata: {name: i, annotations: {kubernetes.io/ingress.class: nginx}}", false),
  ])
  func `an Ingress of Istio's class is said not to be acted on`(_ rest: String, _ isSaid: Bool) {
    let metadata = rest.hasPrefix("metadata") ? "" : "metadata: {name: i}\n"
    var result = LoadResult()
    let text = "apiVersion: networking.k8s.io/v1\nkind: Ingress\n" + metadata + rest
    ResourceLoader.load(text: Array(text.utf8), file: "t.yaml", into: &result)
    #expect(result.diagnostics.map(\.code) == (isSaid ? ["SP1001"] : []))
    #expect(result.broken.isEmpty)
  }

  private func load(_ kind: String, _ spec: String) -> LoadResult {
    var result = LoadResult()
    ResourceLoader.load(text: Array(PlacedSpec(kind, spec).yaml.utf8), file: "t.yaml", into: &result)
    return result
  }
}
