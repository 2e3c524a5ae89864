import Testing

@testable import Resources

/// Rules of Istio's validation for the networking kinds, each at its token; a message that begins with `!` is a warning.
@Suite struct BrokenIstioRules {
  private static let rule = "hosts: [a.test]\ngateways: [gw]\nhttp:\n- route: [{destination: {host: b.test}}]\n  "
  private static let server = "servers:\n- port: {number: 443, name: a, protocol: HTTPS}\n  hosts: [a.test]\n  tls: "
  private static let to = "route: [{destination: {host: b.test}}]"

  static let gateways: [(String, String)] = [
    ("servers: [‹null›]", "server may not be nil"),
    (server + "{mode: ISTIO_MUTUAL, privateKey: ‹k›}", "ISTIO_MUTUAL TLS cannot have associated private key"),
    (server + "{mode: ISTIO_MUTUAL, caCertificates: ‹k›}", "ISTIO_MUTUAL TLS cannot have associated CA bundle"),
    (server + "{mode: ISTIO_MUTUAL, credentialName: ‹k›}", "ISTIO_MUTUAL TLS cannot have associated credentialName"),
    (
      server + "{mode: ISTIO_MUTUAL, credentialNames: [‹k›]}", "ISTIO_MUTUAL TLS cannot have associated credentialNames"
    ),
    (
      server + "{mode: ISTIO_MUTUAL, tlsCertificates: [‹{›privateKey: k}]}",
      "ISTIO_MUTUAL TLS cannot have associated tlsCertificates"
    ),
    (
      server + "{mode: SIMPLE, tlsCertificates: [‹{›privateKey: k}]}", "SIMPLE TLS requires a server certificate"
    ),
    (
      server + "{mode: SIMPLE, tlsCertificates: [‹{›serverCertificate: k}]}", "SIMPLE TLS requires a private key"
    ),
    (
      server + "‹{›mode: MUTUAL, tlsCertificates: [{serverCertificate: k, privateKey: k}]}",
      "MUTUAL TLS requires a client CA bundle"
    ),
    (
      server + "‹{›mode: PASSTHROUGH, caCertificates: k}",
      "!PASSTHROUGH mode does not use certificates, they will be ignored"
    ),
  ]

  static let virtualServices: [(String, String)] = [
    ("hosts: [a.test]\nhttp: [‹null›]", "http route may not be null"),
    ("hosts: [a.test]\ntls: [‹~›]", "tls route may not be null"),
    ("hosts: [a.test]\ntcp: [‹null›]", "tcp route may not be null"),
    ("hosts: [a.test]\ntls: [{match: [‹null›], \(to)}]", "TLS match may not be null"),
    ("hosts: [a.test]\ntcp: [{match: [‹null›], \(to)}]", "tcp match may not be nil"),
    ("hosts: [a.test]\ngateways: [gw]\nhttp: [{route: [‹null›]}]", "weight may not be nil"),
    ("hosts: [a.test]\ntcp: [{route: [‹null›]}]", "weight may not be nil"),
    (
      "hosts: [a.test]\ntcp:\n- ‹r›oute: [{destination: {host: b.test}}, {destination: {host: c.test}, weight: 0}]",
      "total destination weight = 0"
    ),
    (rule + "match: [{headers: {‹x-a›: null}}]", "header match x-a cannot be null"),
    (rule + "match: [{withoutHeaders: {‹x-a›: null}}]", "withoutHeaders match x-a cannot be null"),
    (rule + "match: [{queryParams: {‹a›: null}}]", "query param match a cannot be null"),
    (rule + "match: [{headers: {‹\"a b\"›: {exact: c}}}]", "header name a b is not a valid header name"),
    (rule + "match: [{withoutHeaders: {‹\"\"›: {exact: c}}}]", "header name cannot be empty"),
    (rule + "match: [{gateways: [‹A_b›]}]", "invalid value for gateway name: \"A_b\""),
    (rule + "match: [{sourceNamespace: ‹A_b›}]", "sourceNamespace match A_b is invalid"),
    (rule + "mirrors: [‹null›]", "mirror cannot be null"),
    (
      rule + "headers: {request: {set: {‹\":path\"›: x}}}", "invalid header \":path\": header cannot have \":\" prefix"
    ),
    (rule + "headers: {request: {remove: [‹host›]}}", "invalid header \"host\": cannot set Host header"),
    (
      rule + "headers: {response: {remove: [‹\":status\"›]}}",
      "invalid header \":status\": header cannot have \":\" prefix"
    ),
    (
      rule + "headers: {request: {add: {x-a: ‹\"b\\x0›1c\"}}}",
      "header value configuration is invalid: it has control characters"
    ),
    (
      "hosts: [a.test]\ngateways: [gw]\nhttp: [{route: [{destination: {host: b.test, port: ‹{›}}}]}]",
      "port number must be set"
    ),
    (
      "hosts: [a.test]\ntls: [{match: [{sniHosts: [a.test], gateways: [‹a/b/c›]}], \(to)}]",
      "invalid value for gateway name: \"a/b/c\""
    ),
  ]

  static let destinationRules: [(String, String)] = [
    ("host: a.test\nsubsets: [‹null›]", "subset may not be null"),
    ("host: a.test\ntrafficPolicy: {portLevelSettings: [‹null›]}", "traffic policy may not be null"),
    (
      "host: a.test\ntrafficPolicy: {outlierDetection: {consecutiveLocalOriginFailures: ‹3›}}",
      "outlier detection consecutive local origin failures is specified, but split external local origin errors is set to false"
    ),
  ]

  static let serviceEntries: [(String, String)] = [
    ("hosts: [a.test]\nresolution: DNS\nports: [‹null›]", "service entry port may not be null"),
    (
      "hosts: [a.test]\nresolution: STATIC\nports: [{number: 80, name: a}]\nendpoints: [‹null›]",
      "endpoint cannot be nil"
    ),
    (
      "hosts: [a.test]\nresolution: STATIC\nports: [{number: 80, name: a}]\n‹workloadSelector›: {}",
      "!service entry: workload selector specified without labels, will be applied to all services in namespace"
    ),
  ]

  static let workloadEntries: [(String, String)] = [
    ("address: a.test\nports: {‹A_b›: 80}", "invalid port name: A_b"),
    ("address: ‹a..test›", "endpoint address \"a..test\" is not a valid FQDN or an IP address"),
    ("address: ‹\"*.test\"›", "endpoint address \"*.test\" is not a valid FQDN or an IP address"),
  ]

  @Test(arguments: gateways.map(\.0))
  func `a Gateway's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("Gateway", spec, in: Self.gateways)
  }

  @Test(arguments: virtualServices.map(\.0))
  func `a VirtualService's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("VirtualService", spec, in: Self.virtualServices)
  }

  @Test(arguments: destinationRules.map(\.0))
  func `a DestinationRule's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("DestinationRule", spec, in: Self.destinationRules)
  }

  @Test(arguments: serviceEntries.map(\.0))
  func `a ServiceEntry's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("ServiceEntry", spec, in: Self.serviceEntries)
  }

  @Test(arguments: workloadEntries.map(\.0))
  func `a WorkloadEntry's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("WorkloadEntry", spec, in: Self.workloadEntries)
  }

  @Test(arguments: [
    ("template: {ports: {‹A_b›: 80}}", "invalid port name: A_b"),
    ("template: {address: \"unix:///run/a\", ports: {a: ‹80›}}", "unix endpoint unix:///run/a must not include ports"),
    ("template: {}\nprobe: {exec: {command: [a, ‹\"\"›]}}", "exec.command may not have empty words"),
    ("template: {}\nprobe: {httpGet: {port: 80, httpHeaders: [‹null›]}}", "invalid nil header"),
    (
      "template: {}\nprobe: {httpGet: {port: 80, httpHeaders: [{name: ‹\"a b\"›}]}}",
      "header name a b is not a valid header name"
    ),
  ])
  func `a WorkloadGroup's mistake is said with its place`(_ spec: String, _ message: String) {
    let placed = PlacedSpec("WorkloadGroup", spec)
    let found = load(placed.yaml).diagnostics.filter { $0.code != "SP1015" }.map { finding($0, in: placed.yaml) }
    #expect(
      found.map { Finding($0.line, $0.column, $0.token, $0.label, $0.message) }
        == [Finding(placed.line, placed.column, placed.token, "error[IST0106]", message)])
  }

  @Test(arguments: [
    (
      "VirtualService", rule + "match: [{headers: {x-a: {exact: b}}, sourceNamespace: ns, gateways: [gw, ns/gw, mesh]}]"
    ),
    ("VirtualService", rule + "headers: {request: {set: {\":authority\": x.test}, add: {x-a: \"b\\tc\"}}}"),
    ("VirtualService", rule + "headers: {request: {set: {Host: x.test}}}"),
    ("Gateway", server + "{mode: MUTUAL, serverCertificate: k, privateKey: k, caCertCredentialName: ca}"),
    ("Gateway", server + "{mode: SIMPLE, tlsCertificates: [{serverCertificate: k, privateKey: k}]}"),
    (
      "DestinationRule",
      "host: a.test\ntrafficPolicy: {outlierDetection: {consecutiveLocalOriginFailures: 3, splitExternalLocalOriginErrors: true}}"
    ),
    ("WorkloadEntry", "address: a.test\nports: {http-8080: 80}"),
  ])
  func `what is fine is left alone`(_ kind: String, _ spec: String) {
    let result = load(PlacedSpec(kind, spec).yaml)
    #expect(result.diagnostics.allSatisfy { $0.code == "SP1001" }, "\(result.diagnostics)")
    #expect(result.broken.isEmpty)
  }
}
