import Testing

@testable import Resources

@Suite struct DecodingTests {
  private func load(_ yaml: String) -> LoadResult {
    var result = LoadResult()
    ResourceLoader.load(text: Array(yaml.utf8), file: "t.yaml", into: &result)
    return result
  }

  /// A mistake, where it is, and a part of what is said.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let yaml: String
    let place: String
    let message: String
    var help: String?
    var testDescription: String { message }
  }

  private static let gatewayHead =
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: n}\nspec:\n"
  private static let serviceHead =
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: n}\nspec:\n"
  private static let entryHead =
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: s, namespace: n}\nspec:\n"
  private static let ruleHead =
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: n}\nspec:\n"

  static let mistakes: [Mistake] = [
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 80, name: http, protocol: HTPP}\n", place: "7:46",
      message: "invalid protocol \"HTPP\"", help: "did you mean \"HTTP\"?"),
    .init(
      yaml: gatewayHead + "  serverz: []\n", place: "5:3", message: "unknown field \"serverz\"",
      help: "did you mean \"servers\"?"),
    .init(
      yaml: gatewayHead + "  servers:\n  - hosts: [short]\n    port: {number: 80, name: http, protocol: HTTP}\n",
      place: "6:13", message: "short names (non FQDN) are not allowed"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [\"a*.example.com\"]\n    port: {number: 80, name: http, protocol: HTTP}\n",
      place: "6:13", message: "partial wildcard"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 99999, name: http, protocol: HTTP}\n",
      place: "7:20", message: "must be in the range 1..65535"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: eighty, name: http, protocol: HTTP}\n",
      place: "7:20", message: "expected an integer"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 443, name: https, protocol: HTTPS}\n",
      place: "6:5", message: "server must have TLS settings"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 443, name: https, protocol: HTTPS}\n    tls: {mode: SIMPEL, credentialName: c}\n",
      place: "8:17", message: "unknown value \"SIMPEL\"", help: "did you mean \"SIMPLE\"?"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 443, name: https, protocol: HTTPS}\n    tls: {credentialName: c}\n",
      place: "8:27", message: "omitted, which means PASSTHROUGH"),
    .init(
      yaml: gatewayHead
        + "  servers:\n  - hosts: [a.example.com]\n    port: {number: 80, name: http, protocol: HTTP}\n    tls: {mode: SIMPLE, credentialName: c}\n",
      place: "8:5", message: "cannot have TLS settings for plain text HTTP ports"),
    .init(yaml: gatewayHead + "  servers: []\n", place: "5:3", message: "at least one server"),
    .init(yaml: serviceHead + "  hosts: [a.example.com]\n", place: "5:3", message: "http, tcp or tls must be provided"),
    .init(
      yaml: serviceHead + "  hosts: [a.example.com]\n  http:\n  - match: [{uri: {prefix: /a}}]\n", place: "7:5",
      message: "HTTP route, redirect or direct_response is required"),
    .init(
      yaml: serviceHead + "  hosts: [a.example.com, A.example.com]\n  http: [{directResponse: {status: 200}}]\n",
      place: "5:26", message: "duplicate hosts"),
    .init(
      yaml: serviceHead + "  hosts: [a.example.com]\n  http:\n  - route: [{destination: {hots: b.example.com}}]\n",
      place: "7:28", message: "unknown field \"hots\"", help: "did you mean \"host\"?"),
    .init(
      yaml: serviceHead
        + "  hosts: [a.example.com]\n  http:\n  - match: [{uri: {prefix: /a, exact: /b}}]\n    directResponse: {status: 200}\n",
      place: "7:19", message: "only one of exact, prefix, regex"),
    .init(
      yaml: serviceHead
        + "  hosts: [a.example.com]\n  http:\n  - timeout: 5 parsecs\n    directResponse: {status: 200}\n",
      place: "7:14", message: "invalid duration"),
    .init(
      yaml: serviceHead + "  hosts: [a.example.com]\n  http:\n  - redirect: {uri: /a, redirectCode: 200}\n",
      place: "7:39", message: "not a valid redirect code"),
    .init(
      yaml: serviceHead
        + "  hosts: [a.example.com]\n  http:\n  - retries: {attempts: -1}\n    directResponse: {status: 200}\n",
      place: "7:25", message: "attempts cannot be negative"),
    .init(
      yaml: serviceHead + "  hosts: a.example.com\n  http: [{directResponse: {status: 200}}]\n", place: "5:10",
      message: "expected a list"),
    .init(
      yaml: serviceHead
        + "  hosts: [a.example.com]\n  http:\n  - route: [{destination: {host: b.example.com}, weight: -5}]\n",
      place: "7:58", message: "weight -5 < 0"),
    .init(
      yaml: entryHead + "  hosts: [\"*\"]\n  ports: [{number: 443, name: tls, protocol: TLS}]\n", place: "5:11",
      message: "invalid host *"),
    .init(
      yaml: entryHead
        + "  hosts: [a.example.com]\n  resolution: DNZ\n  ports: [{number: 443, name: tls, protocol: TLS}]\n",
      place: "6:15", message: "unknown value \"DNZ\"", help: "did you mean \"DNS\"?"),
    .init(
      yaml: entryHead
        + "  hosts: [a.example.com]\n  resolution: STATIC\n  ports: [{number: 443, name: tls, protocol: TLS}]\n  endpoints: [{address: b.example.com}]\n",
      place: "8:25", message: "is not a valid IP address"),
    .init(
      yaml: entryHead
        + "  hosts: [a.example.com]\n  resolution: DNS\n  ports: [{number: 443, name: tls, protocol: TLS}]\n  endpoints: [{address: b.example.com, ports: {tsl: 8443}}]\n",
      place: "8:48", message: "endpoint port tsl is not defined", help: "did you mean \"tls\"?"),
    .init(
      yaml: entryHead + "  hosts: [a.example.com]\n  ports: [{number: 443, name: tls}, {number: 443, name: tls2}]\n",
      place: "6:46", message: "service entry port 443 already defined"),
    .init(
      yaml: ruleHead + "  host: a.example.com\n  trafficPolicy: {tls: {mode: MUTUAL}}\n", place: "6:24",
      message: "client certificate required for mutual tls"),
    .init(
      yaml: ruleHead + "  host: a.example.com\n  subsets: [{name: x}, {name: x}]\n", place: "6:31",
      message: "duplicate subset names: x"),
    .init(
      yaml: ruleHead + "  host: a.example.com\n  trafficPolicy: {loadBalancer: {simple: ROUND_ROBINN}}\n",
      place: "6:42", message: "unknown value \"ROUND_ROBINN\"", help: "did you mean \"ROUND_ROBIN\"?"),
    .init(
      yaml: ruleHead + "  host: a.example.com\n  host: b.example.com\n", place: "6:3",
      message: "field \"host\" is given twice"),
    .init(
      yaml: "apiVersion: networking.istio.io/v2\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: []}\n",
      place: "1:13", message: "is not served for Gateway"),
    .init(
      yaml: "kind: Gateway\nmetadata: {name: g}\nspec: {servers: []}\n", place: "1:1", message: "apiVersion is missing"),
    .init(
      yaml: "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\n", place: "1:1",
      message: "spec is required"),
  ]

  @Test(arguments: mistakes)
  func `says a mistake at its place and leaves the resource out`(_ mistake: Mistake) throws {
    let result = load(mistake.yaml)
    let found = result.diagnostics.filter { $0.message.contains(mistake.message) }
    let first = try #require(found.first, "\(result.diagnostics)")
    #expect(first.severity == .error)
    #expect(first.location.map { "\($0.line):\($0.column)" } == mistake.place)
    if let help = mistake.help { #expect(first.help == help) }
    #expect(!result.broken.isEmpty)
    let left = result.resources
    #expect(
      left.gateways.isEmpty && left.virtualServices.isEmpty && left.serviceEntries.isEmpty
        && left.destinationRules.isEmpty)
  }

  @Test func `keeps the good documents beside a bad one, also beside one that is not YAML`() {
    let good = Self.serviceHead + "  hosts: [a.example.com]\n  http: [{directResponse: {status: 200}}]\n"
    let result = load(good + "---\nkind: [unclosed\n---\n" + good + "---\n# only a comment\n")
    #expect(result.resources.virtualServices.count == 2)
    #expect(result.hasSyntaxErrors)
    #expect(result.diagnostics.contains { $0.message.contains("invalid YAML") })
  }

  @Test func `says all mistakes of a document at once`() {
    let yaml =
      Self.gatewayHead
      + "  servers:\n  - hosts: [short]\n    port: {number: 0, name: http, protocol: X}\n    bogus: 1\n"
    #expect(load(yaml).diagnostics.count >= 4)
  }

  @Test func `reads kubectl's lists, status and snake case`() {
    let yaml = """
      apiVersion: v1
      kind: List
      items:
      - apiVersion: networking.istio.io/v1alpha3
        kind: ServiceEntry
        metadata: {name: s, namespace: n, uid: abc, resourceVersion: "7", creationTimestamp: "2024-01-01T00:00:00Z", managedFields: [{manager: kubectl}]}
        spec: {hosts: [a.example.com], resolution: dns, ports: [{number: 443, name: tls, protocol: tls, target_port: 8443}]}
        status: {}
      - apiVersion: v1
        kind: Secret
        metadata: {name: c, namespace: n}
        type: kubernetes.io/tls
        data: {tls.crt: aGVsbG8=}
        stringData: {tls.key: key}
      """
    let result = load(yaml)
    #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
    let entry = result.resources.serviceEntries.first
    #expect(entry?.spec.ports.first?.targetPort?.value == 8443 && entry?.spec.effectiveResolution == .dns)
    #expect(entry?.metadata.creationTimestamp == "2024-01-01T00:00:00Z")
    #expect(
      result.resources.secrets.first?.spec.data == ["tls.crt": Array("hello".utf8), "tls.key": Array("key".utf8)])
  }

  @Test func `says fields that are known and not acted on`() {
    let result = load(
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g, namespace: n}
      spec:
        servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], defaultEndpoint: "127.0.0.1:1"}]
      """)
    #expect(result.diagnostics.map(\.code) == ["SP1001"] && result.broken.isEmpty)
    #expect(result.resources.gateways.count == 1)
  }

  @Test func `warns of unknown kinds with a suggestion`() {
    let result = load("apiVersion: networking.istio.io/v1\nkind: VirtualServise\nmetadata: {name: x}\n")
    #expect(
      result.diagnostics.first?.code == "SP1002" && result.diagnostics.first?.help == "did you mean \"VirtualService\"?"
    )
  }

  @Test func `understands the article's readiness probe`() {
    let yaml = """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: d, namespace: n}
      spec:
        template:
          metadata: {labels: {a: b}}
          spec:
            containers:
            - name: c
              readinessProbe:
                exec: {command: [/bin/sh, -c, "curl https://#:15021/healthz/ready && curl -fsS -m 2 https://httpbin.org/status/200"]}
                periodSeconds: 2
      """
    let probe = load(yaml).resources.deployments.first?.spec.readinessProbes.first
    #expect(probe?.curl.requests.map(\.url) == ["https://httpbin.org/status/200"] && probe?.periodSeconds == 2)
  }

  @Test func `shows the line with a caret and a hint`() {
    var renderer = DiagnosticRenderer([], usesColor: false)
    let file = "/tmp/does-not-exist.yaml"
    let text = renderer.text(
      Diagnostic("IST0106", .error, "bad", at: SourceLocation(file: file, line: 3, column: 5), help: "good"))
    #expect(text == "\(file):3:5: error[IST0106]: bad\n      = help: good\n")
  }
}
