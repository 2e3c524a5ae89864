import Testing

@testable import Resources

/// Rules of Istio's validation that hold for several kinds, or for rare fields.
@Suite struct BrokenRules {
  private static func resource(_ kind: String, _ spec: String, group: String = "networking") -> String {
    """
    apiVersion: \(group).istio.io/v1
    kind: \(kind)
    metadata: {name: a, namespace: n}
    spec:
    \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
    """
  }

  private static func rule(_ rule: String) -> String {
    resource(
      "VirtualService",
      "hosts: [a.example.com]\ngateways: [gw]\nhttp:\n- route: [{destination: {host: b}}]\n  " + rule)
  }

  private static func entry(_ rest: String) -> String {
    resource("ServiceEntry", "hosts: [\"*.example.com\"]\nresolution: DYNAMIC_DNS\n" + rest)
  }

  /// A name, the document, `line:column`, the words there, and the message; a warning where it begins with `!`.
  private static let table: [(String, String, Int, Int, String, String)] = [
    (
      "exportTo names its own namespace",
      resource("VirtualService", "hosts: [a.test]\nexportTo: [., n]\nhttp: [{directResponse: {status: 200}}]"), 6, 17,
      "n", "duplicate entries in exportTo: . and current namespace n"
    ),
    (
      "a selector without labels", resource("DestinationRule", "host: a.test\nworkloadSelector: {}"), 6, 3,
      "workloadSelector", "!workload selector specified without labels"
    ),
    (
      "the Gateway API's marker in a redirect",
      resource(
        "VirtualService",
        "hosts: [a.test]\ngateways: [gw]\nhttp:\n- match: [{uri: {prefix: /old}}]\n  redirect: {uri: \"%PREFIX()%/new\"}"
      ),
      9, 21, "\"%PREFIX()%/new\"",
      "!redirect.uri \"%PREFIX()%/new\" is taken as it is: %PREFIX()% means something in routes of the Gateway API alone"
    ),
    (
      "hosts that overlap",
      resource(
        "VirtualService",
        "hosts: [\"*.example.com\", a.example.com]\ngateways: [gw]\nhttp: [{directResponse: {status: 200}}]"), 5, 28,
      "a.example.com", "duplicate hosts in virtual service: *.example.com & a.example.com"
    ),
    (
      "claims in the mesh",
      resource(
        "VirtualService",
        "hosts: [a.test]\nhttp:\n- match: [{headers: {\"@request.auth.claims.group\": {exact: x}}}]\n  route: [{destination: {host: b}}]"
      ), 7, 24, "\"@request.auth.claims.group\"",
      "JWT claim based routing (key: @request.auth.claims.group) is only supported for gateway, found mesh gateways"
    ),
    (
      "the authority twice in a rule",
      rule("rewrite: {authority: x.test}\n  headers: {request: {set: {Host: y.test}}}"),
      10, 37, "y.test", "authority header cannot be set multiple times: have \"x.test\", attempting to set \"y.test\""
    ),
    (
      "the authority set and added", rule("headers: {request: {set: {host: x.test}, add: {\":authority\": y.test}}}"),
      9,
      66, "y.test", "authority header cannot be set multiple times: have \"x.test\", attempting to set \"y.test\""
    ),
    (
      "a line feed in a header value", rule("headers: {request: {set: {x-a: \"a\\r\\nx-b: 1\"}}}"), 9, 36,
      "\"a\\r", "header value configuration is invalid: it has control characters"
    ),
    (
      "a blank in a path", rule("rewrite: {uri: \"/a b\"}"), 9, 20, "\"/a b\"",
      "\"/a b\" is not a path: it contains a blank"
    ),
    (
      "a line feed in an authority", rule("rewrite: {authority: \"a\\nb\"}"), 9, 26, "\"a\\",
      "\"a\\nb\" is not an authority: it contains a line feed"
    ),
    (
      "a rewrite of nothing", rule("rewrite: {uri: \"\"}"), 9, 14, "{",
      "rewrite must specify at least one of URI, UriRegexRewrite, or authority"
    ),
    (
      "Host in a response", rule("headers: {response: {set: {Host: y.test}}}"), 9, 32, "Host",
      "invalid header \"Host\": cannot set Host header"
    ),
    (
      "a pseudo header in a response", rule("headers: {response: {add: {\":status\": \"200\"}}}"), 9, 32,
      "\":status\"", "invalid header \":status\": header cannot have \":\" prefix"
    ),
    (
      "a label that is none", rule("match: [{sourceLabels: {app: \"a b\"}}]"), 9, 34, "\"a b\"",
      "invalid label value: \"a b\""
    ),
    (
      "a key that is none",
      resource("DestinationRule", "host: a.test\nsubsets: [{name: s, labels: {-x: y}}]"), 6, 36, "y",
      "invalid label key: \"-x\""
    ),
    (
      "a ConfigMap of another namespace",
      resource(
        "DestinationRule",
        "host: a.test\ntrafficPolicy: {tls: {mode: SIMPLE, credentialName: \"configmap://other/ca\"}}"), 6, 55,
      "\"configmap://other/ca\"",
      "invalid configmap:// credentialName: namespace must match the configuration namespace \"n\""
    ),
    (
      "dynamic names inside the mesh",
      entry("location: MESH_INTERNAL\nports: [{number: 443, name: tls, protocol: TLS}]"), 7, 3, "location",
      "location must be MESH_EXTERNAL for resolution mode DYNAMIC_DNS"
    ),
    (
      "dynamic names by TCP", entry("ports: [{number: 5432, name: db, protocol: TCP}]"), 7, 46, "TCP",
      "protocol TCP is not supported for resolution mode DYNAMIC_DNS: one of HTTP, HTTP2, GRPC, TLS"
    ),
    (
      "workloads that nobody selects",
      resource(
        "ServiceEntry",
        "hosts: [a.test]\nresolution: NONE\nports: [{number: 80, name: http, protocol: HTTP}]\nworkloadSelector: {labels: {a: b}}"
      ), 8, 3, "workloadSelector",
      "!workloadSelector should not be set when resolution mode is NONE"
    ),
    (
      "a probe of nothing", resource("WorkloadGroup", "template: {}\nprobe: {httpGet: }"), 6, 11, "httpGet",
      "httpGet may not be nil"
    ),
    (
      "a Gateway with a dot",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: a.b}
      spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
      """, 3, 18, "a.b", "invalid gateway name: \"a.b\""
    ),
    (
      "an annotation of Istio's own",
      """
      apiVersion: v1
      kind: Service
      metadata: {name: a, annotations: {internal.istio.io/parents: x}}
      spec: {ports: [{port: 80, name: http}]}
      """, 3, 35, "internal.istio.io/parents",
      "\"internal.istio.io/parents\" annotation found, this may not be set by users"
    ),
    (
      "a dry run of what cannot",
      """
      apiVersion: v1
      kind: Service
      metadata: {name: a, annotations: {istio.io/dry-run: "true"}}
      spec: {ports: [{port: 80, name: http}]}
      """, 3, 35, "istio.io/dry-run",
      "default/a has unsupported annotation istio.io/dry-run, please remove the annotation"
    ),
    (
      "a dry run of neither kind",
      """
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: {name: a, annotations: {istio.io/dry-run: maybe}}
      """, 3, 35, "istio.io/dry-run",
      "default/a has annotation istio.io/dry-run with invalid value (maybe): strconv.ParseBool: parsing \"maybe\": invalid syntax"
    ),
    (
      "a dry run of an action that has none",
      """
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: {name: a, annotations: {istio.io/dry-run: "true"}}
      spec: {action: AUDIT, rules: [{}]}
      """, 3, 35, "istio.io/dry-run",
      "the annotation istio.io/dry-run currently only supports action ALLOW/DENY, found action AUDIT in default/a"
    ),
  ]

  @Test(arguments: table.map(\.0))
  func `is said with its place`(_ name: String) throws {
    let (_, yaml, line, column, token, text) = try #require(Self.table.first { $0.0 == name })
    let isWarning = text.hasPrefix("!")
    let expected = Finding(
      line, column, token, isWarning ? "warning[IST0133]" : "error[IST0106]",
      isWarning ? String(text.dropFirst()) : text)
    let result = load(yaml)
    let found = result.diagnostics.filter { $0.code == "IST0106" || $0.code == "IST0133" }
    #expect(
      found.map { finding($0, in: yaml) }.map { Finding($0.line, $0.column, $0.token, $0.label, $0.message) } == [
        expected
      ])
  }

  @Test(arguments: [
    rule("rewrite: {authority: x.test}\n  headers: {request: {set: {x-host: y}}, response: {set: {x: y}}}"),
    resource(
      "VirtualService",
      "hosts: [\"*.example.com\", example.com]\ngateways: [gw]\nhttp: [{directResponse: {status: 200}}]"),
    resource("VirtualService", "hosts: [a.test]\nexportTo: [., other]\nhttp: [{directResponse: {status: 200}}]"),
    resource("DestinationRule", "host: a.test\nsubsets: [{name: s, labels: {example.com/x: v1.2_3, y: \"\"}}]"),
    resource(
      "DestinationRule", "host: a.test\ntrafficPolicy: {tls: {mode: SIMPLE, credentialName: \"configmap://n/ca\"}}"),
    entry("ports: [{number: 443, name: tls, protocol: TLS}, {number: 80, name: http, protocol: http}]"),
  ])
  func `what is fine is left alone`(_ yaml: String) {
    #expect(load(yaml).diagnostics.isEmpty, "\(load(yaml).diagnostics)")
  }
}
