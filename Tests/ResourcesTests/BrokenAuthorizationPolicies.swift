import Testing

@testable import Resources

/// Mistakes in AuthorizationPolicies, each at its token; a message that begins with `!` is a warning.
@Suite struct BrokenAuthorizationPolicies {
  private static let from = "rules:\n- from:\n  - source: "
  private static let to = "rules:\n- to:\n  - operation: "
  private static let when = "rules:\n- when:\n  - "

  static let table: [(String, String)] = [
    // Fields
    ("action: ‹DENNY›\nrules: [{}]", "action: unknown value \"DENNY\""),
    (to + "{‹metods›: [GET]}", "unknown field \"metods\""),
    (to + "{ports: [‹80›]}", "ports[0]: expected a string, found 80"),
    (to + "‹[›]", "operation: expected an object, found a list"),
    ("rules:\n- ‹form›: []", "unknown field \"form\""),
    ("selector: {‹matchLables›: {a: b}}", "unknown field \"matchLables\""),
    // Whom it is for
    ("selector: {matchLabels: {a: ‹\"*\"›}}", "wildcard is not supported in selector: \"a=*\""),
    ("‹selector›: {}", "!workload selector specified without labels"),
    (
      "selector: {matchLabels: {a: b}}\n‹targetRefs›: [{kind: Service, name: a}]",
      "only one of targetRefs or workloadSelector can be set"
    ),
    (
      "‹targetRef›: {kind: Service, name: a}\ntargetRefs: [{kind: Service, name: b}]",
      "only one of targetRefs or workloadSelector can be set"
    ),
    ("targetRefs: [‹{›kind: Service}]", "targetRef name must be set"),
    (
      "targetRefs: [{kind: Service, name: a, namespace: ‹b›}]",
      "targetRef namespace must not be set; cross namespace referencing is not supported"
    ),
    (
      "targetRefs: [{kind: ‹Gateway›, name: a}]",
      "targetRef must be to one of [core/v1/Service networking.istio.io/v1/ServiceEntry gateway.networking.k8s.io/v1/Gateway gateway.networking.k8s.io/v1/GatewayClass] but was /Gateway"
    ),
    // Actions
    (
      "action: ‹DENY›",
      "DENY action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` if you want it be triggered for every request"
    ),
    (
      "action: ‹CUSTOM›\nprovider: {name: opa}\nrules: []",
      "CUSTOM action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` if you want it be triggered for every request"
    ),
    ("action: ‹CUSTOM›\nrules: [{}]", "`provider.name` must not be empty"),
    ("action: CUSTOM\nprovider: {name: ‹\"\"›}\nrules: [{}]", "`provider.name` must not be empty"),
    ("‹provider›: {name: opa}\nrules: [{}]", "`provider` must not be with non CUSTOM action, found ALLOW"),
    (
      "action: CUSTOM\nprovider: {name: opa}\n" + from + "{namespaces: [‹a›]}",
      "From.Namespaces is currently not supported with CUSTOM action"
    ),
    (
      "action: CUSTOM\nprovider: {name: opa}\n" + from + "{notRequestPrincipals: [‹a›]}",
      "From.NotRequestPrincipals is currently not supported with CUSTOM action"
    ),
    (
      "action: CUSTOM\nprovider: {name: opa}\n" + when + "{key: ‹request.auth.principal›, values: [a]}",
      "request.auth.principal is currently not supported with CUSTOM action"
    ),
    (
      "action: CUSTOM\nprovider: {name: opa}\n" + when + "{key: ‹source.namespace›, values: [a]}",
      "source.namespace is currently not supported with CUSTOM action"
    ),
    // Rules
    ("rules:\n- {}\n- ‹null›", "`rule` must not be nil, found at rule 1"),
    ("rules:\n- ‹from›: []", "`from` must not be empty, found at rule 0"),
    ("rules:\n- {}\n- ‹to›: []", "`to` must not be empty, found at rule 1"),
    ("rules:\n- from: [‹null›]", "`from` must not be nil, found at rule 0"),
    ("rules:\n- to: [‹~›]", "`to` must not be nil, found at rule 0"),
    ("rules:\n- from: [‹{›}]", "`from.source` must not be nil, found at rule 0"),
    ("rules:\n- to: [‹{›}]", "`to.operation` must not be nil, found at rule 0"),
    (from + "‹{›}", "`from.source` must not be empty, found at rule 0"),
    (to + "‹{›}", "`to.operation` must not be empty, found at rule 0"),
    // Sources
    (from + "{principals: [‹\"\"›]}", "empty value not allowed, found in Principals"),
    (from + "{notNamespaces: [a, ‹\"\"›]}", "empty value not allowed, found in NotNamespaces"),
    (from + "{ipBlocks: [‹10.0.0›]}", "bad IP address (10.0.0)"),
    (
      from + "{notRemoteIpBlocks: [10.0.0.0/8, ‹10.0.0.0/33›]}",
      "bad CIDR range (10.0.0.0/33): the length must be 0 to 32"
    ),
    (from + "{ipBlocks: [‹a/8›]}", "bad CIDR range (a/8): \"a\" is no address"),
    (
      from + "{serviceAccounts: [‹a›], namespaces: [b]}",
      "cannot set serviceAccounts with namespaces or principals, found at rule 0"
    ),
    (from + "{serviceAccounts: [‹a*›]}", "wildcard not allowed, found in ServiceAccounts"),
    (
      from + "{serviceAccounts: [‹a/b/c›]}",
      "expected format 'serviceAccount' or 'namespace/serviceAccount', found \"a/b/c\" in ServiceAccounts"
    ),
    (
      from + "{notServiceAccounts: [‹/a›]}",
      "expected format 'serviceAccount' or 'namespace/serviceAccount', found empty namespace \"/a\" in NotServiceAccounts"
    ),
    (
      from + "{‹serviceAccounts›: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}",
      "serviceAccounts: may not have more than 16 values"
    ),
    (from + "{trustDomains: [‹a/b›]}", "trust domain must not contain '/', found in TrustDomains: \"a/b\""),
    (
      from + "{trustDomains: [‹\"*.a.*\"›]}",
      "at most one wildcard is allowed, found in TrustDomains: \"*.a.*\""
    ),
    (
      from + "{trustDomains: [‹a*b›]}",
      "wildcard is only allowed at the start or end, found in TrustDomains: \"a*b\""
    ),
    (
      from + "{principals: [‹a/*/b›]}",
      "!wildcard is only allowed at the start or end, found in Principals: \"a/*/b\""
    ),
    // Operations
    (to + "{ports: [‹\"65536\"›]}", "bad port (65536): out of range"),
    (to + "{notPorts: [‹http›]}", "bad port (http): not a number"),
    (to + "{methods: [‹get›]}", "!method \"get\" matches no request: case counts"),
    (
      to + "{paths: [‹\"/{a}/b\"›]}",
      "invalid or unsupported path {a}/b, found in Paths. Contains '{' or '}' beyond a supported path template"
    ),
    (
      to + "{notPaths: [‹\"/{**}/{*}\"›]}",
      "invalid or unsupported path {**}/{*}, found in NotPaths. {**} is not the last operator"
    ),
    (
      to + "{paths: [‹\"/{*}/a*\"›]}",
      "invalid or unsupported path {*}/a*, found in Paths. Contains segment a* with invalid string literal"
    ),
    // Conditions
    ("rules:\n- when: [‹null›]", "when field cannot be nil"),
    (when + "‹{›values: [a]}", "`key` must not be empty"),
    (when + "{key: ‹source.ip›}", "at least one of `values` or `notValues` must be set for key source.ip"),
    (when + "{key: source.ip, values: [‹a›]}", "bad IP address (a)"),
    (when + "{key: destination.port, notValues: [‹\"x\"›]}", "bad port (x): not a number"),
    (when + "{key: connection.sni, values: [‹\"\"›]}", "empty value not allowed, found in connection.sni"),
    (
      when + "{key: ‹\"request.header[a]\"›, values: [a]}",
      "invalid `value` for `key` request.header[a]: unknown attribute: request.header[a]"
    ),
    (
      when + "{key: ‹\"request.headers[]\"›, values: [a]}",
      "invalid `value` for `key` request.headers[]: bad key (request.headers[]): should have format a[b]"
    ),
    (
      when + "{key: ‹destination.namespace›, values: [a]}",
      "invalid `value` for `key` destination.namespace: attribute destination.namespace is replaced by the metadata.namespace"
    ),
    (
      when + "{key: ‹\"destination.labels[a]\"›, values: [a]}",
      "invalid `value` for `key` destination.labels[a]: attribute destination.labels[a] is replaced by the workload selector"
    ),
    (
      when + "{key: ‹destination.user›, values: [a]}",
      "invalid `value` for `key` destination.user: deprecated attribute destination.user: only supported in v1alpha1"
    ),
    // What a DENY does to TCP
    (
      "action: DENY\nrules:\n- ‹t›o: [{operation: {methods: [GET]}}]",
      "!configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port"
    ),
    (
      "action: DENY\nrules:\n- ‹f›rom: [{source: {requestPrincipals: [\"*\"]}}]",
      "!configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; it is recommended to explicitly specify the port"
    ),
  ]

  @Test(arguments: table.map(\.0))
  func `is said with its place`(_ spec: String) throws {
    try checkPlaced("AuthorizationPolicy", spec, in: Self.table)
  }

  @Test(arguments: [
    "{}", "rules: [{}]", "action: DENY\nrules: [{}]", "action: CUSTOM\nprovider: {name: opa}\nrules: [{}]",
    "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: a}]",
    from + "{principals: [\"cluster.local/ns/a/sa/*\", \"*\"], ipBlocks: [10.0.0.0/8, \"2001:db8::/32\", \"::1\"]}",
    from + "{serviceAccounts: [a, b/c], remoteIpBlocks: [1.2.3.4], trustDomains: [\"*.a\"]}",
    to
      + "{hosts: [\"*.example.com\"], methods: [GET, get-it], ports: [\"0\"], paths: [/a*, \"*/b\", \"/{*}/c/{**}\", \"*\"]}",
    "action: DENY\n" + to + "{paths: [/a], ports: [\"80\"]}",
    "action: DENY\nrules: [{from: [{source: {namespaces: [a]}}]}]",
    when + "{key: \"request.headers[x-a]\", values: [\"*\"]}\n  - {key: \"request.auth.claims[a][b]\", notValues: [c]}",
    when + "{key: \"experimental.envoy.filters.network.mysql_proxy[db.table]\", values: [\"[update]\"]}",
  ])
  func `what is fine is left alone`(_ spec: String) {
    let result = load(PlacedSpec("AuthorizationPolicy", spec).yaml)
    #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
    #expect(result.resources.authorizationPolicies.count == 1)
  }

  @Test func `all of it is read`() throws {
    let spec = """
      selector: {matchLabels: {app: web}}
      action: ALLOW
      rules:
      - from:
        - source: {principals: [a], notPrincipals: [b], requestPrincipals: [c]}
        to:
        - operation: {hosts: [h], notPaths: [/p], methods: [GET], ports: ["80"]}
        when:
        - {key: source.ip, values: [10.0.0.1], notValues: [10.0.0.2]}
      """
    let policy = try #require(load(PlacedSpec("AuthorizationPolicy", spec).yaml).resources.authorizationPolicies.first)
    #expect(policy.spec.scope.selector["app"]?.value == "web" && policy.spec.action?.value == .allow)
    let rule = try #require(policy.spec.rules.first)
    #expect(rule.from[0].principals.values.map(\.value) == ["a"])
    #expect(rule.from[0].principals.notValues.map(\.value) == ["b"])
    #expect(rule.to[0].paths.notValues.map(\.value) == ["/p"] && rule.to[0].hosts.values.map(\.value) == ["h"])
    #expect(rule.when[0].key?.value == "source.ip" && rule.when[0].notValues.map(\.value) == ["10.0.0.2"])
  }

  @Test func `no spec allows nothing, and is said to be well formed`() {
    let result = load("apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\n")
    #expect(result.diagnostics.isEmpty && result.resources.authorizationPolicies.first?.spec.rules.isEmpty == true)
    #expect(
      load("apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: []\n").broken.count
        == 1)
  }
}

/// Loads a spec of a table and compares what is said with the mark and the message beside it.
func checkPlaced(_ kind: String, _ spec: String, in table: [(String, String)]) throws {
  let text = try #require(table.first { $0.0 == spec }).1
  let placed = PlacedSpec(kind, spec)
  let isWarning = text.hasPrefix("!")
  let result = load(placed.yaml)
  let found = result.diagnostics.map { finding($0, in: placed.yaml) }
  let plain = found.map { Finding($0.line, $0.column, $0.token, $0.label, $0.message) }
  let label = isWarning ? "warning[IST0133]" : "error[IST0106]"
  #expect(
    plain == [Finding(placed.line, placed.column, placed.token, label, isWarning ? String(text.dropFirst()) : text)])
  #expect(result.broken.isEmpty == isWarning)
}
