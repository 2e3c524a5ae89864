import Testing

@testable import Resources

/// Mistakes in the other kinds of policies, each at its token; a message that begins with `!` is a warning.
@Suite struct BrokenPolicies {
  private static let rsa = "{\\\"kty\\\": \\\"RSA\\\", \\\"n\\\": \\\"AQ\\\", \\\"e\\\": \\\"AQAB\\\"}"
  private static let rule = "jwtRules:\n- issuer: a\n  "

  static let authentications: [(String, String)] = [
    ("‹jwtRule›: []", "unknown field \"jwtRule\""),
    ("jwtRules:\n- ‹a›udiences: [a]", "issuer or jwksUri must be non-empty string"),
    ("jwtRules:\n- issuer: ‹\"\"›", "issuer or jwksUri must be non-empty string"),
    ("jwtRules:\n- ‹isuer›: a", "unknown field \"isuer\""),
    (rule + "audiences: [a, ‹\"\"›]", "audience must be non-empty string"),
    (rule + "jwksUri: ‹ftp://a/b›", "URI scheme \"ftp\" is not supported"),
    (rule + "jwks_uri: ‹a.example/b›", "URI scheme \"\" is not supported"),
    (rule + "jwksUri: ‹https:///b›", "jwksUri has no host"),
    (rule + "jwksUri: ‹https://a:99999/b›", "jwksUri has an invalid port \"99999\""),
    (rule + "jwks: ‹abc›", "jwks parse error: not a JSON object"),
    (rule + "jwks: ‹'{\"keys\": 1}'›", "jwks parse error: \"keys\" is not a list"),
    (
      rule + "jwks: ‹'{\"keys\": [{\"kty\": \"RSA\"}]}'›",
      "jwks parse error: a key of type RSA has no \"n\""
    ),
    (rule + "jwks: ‹'{\"kty\": \"XY\"}'›", "jwks parse error: unknown key type \"XY\""),
    (rule + "jwks: ‹'{\"keys\": \(String(repeating: "[", count: 20))'›", "jwks parse error: not a JSON object"),
    (
      rule
        + "jwks: ‹'{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"a\", \"y\": \"b\", \"d\": \"c\"}'›",
      "!jwks holds a private key: whoever reads the resource can issue tokens"
    ),
    (rule + "fromHeaders: [‹{›prefix: x}]", "location header name must be non-empty string"),
    (rule + "fromHeaders: [‹null›]", "location header name must be non-null"),
    (rule + "outputClaimToHeaders: [‹~›]", "outputClaimToHeaders must not be null"),
    (rule + "fromHeaders: [{name: ‹\"\"›}]", "location header name must be non-empty string"),
    (rule + "fromParams: [‹\"\"›]", "location query must be non-empty string"),
    (rule + "fromCookies: [‹\"\"›]", "cookie name must be non-empty string"),
    (
      rule + "outputClaimToHeaders: [‹{›header: a}]",
      "outputClaimToHeaders header and claim value must be non-empty string"
    ),
    (
      rule + "outputClaimToHeaders: [{header: ‹\"\"›, claim: a}]",
      "outputClaimToHeaders header and claim value must be non-empty string"
    ),
    (rule + "outputClaimToHeaders: [{header: ‹\"x y\"›, claim: a}]", "header name x y is not a valid header name"),
    (rule + "timeout: ‹5›", "timeout: invalid duration \"5\""),
    (rule + "timeout: ‹0s›", "timeout: duration must be greater than 1ms"),
    (rule + "forwardOriginalToken: ‹\"yes\"›", "forwardOriginalToken: expected true or false, found \"yes\""),
    (
      "targetRefs: [{kind: ‹Servce›, name: a}]",
      "targetRef must be to one of [core/v1/Service networking.istio.io/v1/ServiceEntry gateway.networking.k8s.io/v1/Gateway gateway.networking.k8s.io/v1/GatewayClass] but was /Servce"
    ),
  ]

  static let peers: [(String, String)] = [
    ("mtls: {mode: ‹STRCT›}", "mode: unknown value \"STRCT\""),
    ("‹selector›: {matchLabels: {}}", "!workload selector specified without labels"),
    (
      "selector: {matchLabels: {a: b}}\n‹portLevelMtls›: {}",
      "port level mTLS, if defined, must have at least one element"
    ),
    ("selector: {matchLabels: {a: b}}\nportLevelMtls: {‹70000›: {mode: STRICT}}", "port must be in range 1..65535"),
    ("selector: {matchLabels: {a: b}}\nportLevelMtls: {80: {‹mod›: STRICT}}", "unknown field \"mod\""),
  ]

  static let telemetries: [(String, String)] = [
    ("‹acessLogging›: []", "unknown field \"acessLogging\""),
    ("tracing:\n- {}\n- ‹{›}", "!multiple tracing is not currently supported"),
    ("tracing: [{providers: [{name: a}, {name: ‹b›}]}]", "!multiple providers is not currently supported"),
    ("tracing: [{randomSamplingPercentage: ‹101›}]", "randomSamplingPercentage must be in range [0.0, 100.0]"),
    ("tracing: [{match: {mode: ‹BOTH›}}]", "mode: unknown value \"BOTH\""),
    ("tracing: [{customTags: {‹a›: null}}]", "customTags.a: expected an object, found nothing"),
    ("tracing: [{customTags: {‹\"\"›: {literal: {value: b}}}}]", "tag name may not be empty"),
    ("tracing: [{customTags: {a: {literal: {value: ‹\"\"›}}}}]", "literal tag value may not be empty"),
    ("tracing: [{customTags: {a: {header: ‹{›}}}}]", "header tag name may not be empty"),
    ("tracing: [{customTags: {a: {environment: {‹defaultvalue›: b, name: c}}}}]", "unknown field \"defaultvalue\""),
    (
      "tracing: [{customTags: {a: {literal: {value: b}, ‹header›: {name: c}}}}]",
      "only one of literal, environment, header, formatter can be set"
    ),
    ("metrics: [{providers: [‹{›}]}]", "providers.name may not be empty"),
    ("metrics: [{providers: [‹null›]}]", "providers.name may not be empty"),
    ("metrics: [{reportingInterval: ‹1us›}]", "reportingInterval: only durations to ms precision are supported"),
    (
      "metrics: [{overrides: [{tagOverrides: {a: {operation: REMOVE, value: ‹b›}}}]}]",
      "tagOverrides.value may only be set when operation is UPSERT"
    ),
    (
      "metrics: [{overrides: [{tagOverrides: {a: ‹{›}}}]}]",
      "tagOverrides.value must be set when operation is UPSERT"
    ),
    ("metrics: [{overrides: [{match: {customMetric: ‹\"\"›}}]}]", "customMetric may not be empty"),
    ("metrics: [{overrides: [{match: {metric: ‹REQUESTS›}}]}]", "metric: unknown value \"REQUESTS\""),
    (
      "metrics: [{overrides: [{match: {metric: ALL_METRICS, ‹customMetric›: a}}]}]",
      "only one of metric, customMetric can be set"
    ),
    (
      "accessLogging: [{filter: {expression: ‹\"response.code >= (400\"›}}]",
      "must be a valid CEL expression, \"(\" is not closed"
    ),
    ("accessLogging: [{filter: {expression: ‹\"a == 'b\"›}}]", "must be a valid CEL expression, a string has no end"),
    ("accessLogging: [{filter: {expression: ‹\"\"›}}]", "must be a valid CEL expression, it is empty"),
    ("accessLogging: [{disabled: ‹1›}]", "disabled: expected true or false, found \"1\""),
  ]

  static let plugins: [(String, String)] = [
    ("‹p›luginName: a", "url field needs to be set"),
    ("url: ‹\"%zz\"›", "failed to parse url: % is not followed by two hexadecimal digits"),
    ("url: a\npluginName: ‹\"\"›", "pluginName may not be empty"),
    ("url: a\nimagePullSecret: ‹\"\"›", "imagePullSecret may not be empty"),
    ("url: ‹ftp://a›", "url contains unsupported scheme: ftp"),
    ("url: a\nsha256: ‹abc›", "sha256 field must be 64 characters long"),
    ("url: a\nsha256: ‹\(String(repeating: "X", count: 64))›", "sha256 field must match [a-f0-9]{64} pattern"),
    ("url: a\nphase: ‹AUTH›", "phase: unknown value \"AUTH\""),
    ("url: a\nvmConfig: {env: [{name: A, value: b}, {name: ‹A›, value: c}]}", "duplicate env A found"),
    (
      "url: a\nvmConfig: {env: [{name: A, valueFrom: HOST, value: ‹b›}]}",
      "value for env A must not be set when valueFrom is HOST"
    ),
    ("url: a\nmatch: [{ports: [{number: ‹0›}]}]", "port number 0 must be in the range 1..65535"),
    ("url: a\n‹failStrtegy›: FAIL_OPEN", "unknown field \"failStrtegy\""),
  ]

  static let filters: [(String, String)] = [
    ("configPatches: [‹{›patch: {operation: REMOVE}}]", "Envoy filter: missing applyTo"),
    ("configPatches: [‹{›applyTo: CLUSTER}]", "Envoy filter: missing patch"),
    ("configPatches: [‹null›]\npriority: 1", "Envoy filter: null config patch"),
    ("configPatches: [{applyTo: CLUSTER, patch: ‹{›value: {}}}]", "Envoy filter: missing patch operation"),
    (
      "configPatches: [{applyTo: CLUSTER, patch: {operation: ‹MERGE›}}]",
      "Envoy filter: missing patch value for non-remove operation"
    ),
    (
      "configPatches: [{applyTo: HTTP_FILTER, match: {‹cluster›: {name: a}}, patch: {operation: REMOVE}}]",
      "Envoy filter: applyTo for listener class objects cannot have non listener match"
    ),
    (
      "configPatches: [{applyTo: HTTP_ROUTE, match: {‹listener›: {}}, patch: {operation: REMOVE}}]",
      "Envoy filter: applyTo for http route class objects cannot have non route configuration match"
    ),
    (
      "configPatches: [{applyTo: CLUSTER, match: {‹listener›: {}}, patch: {operation: REMOVE}}]",
      "Envoy filter: applyTo for cluster class objects cannot have non cluster match"
    ),
    (
      "configPatches: [{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: ‹{›}}}}, patch: {operation: REMOVE}}]",
      "Envoy filter: filter match has no name to match on"
    ),
    (
      "configPatches: [{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {name: ‹a›, subFilter: {name: b}}}}}, patch: {operation: REMOVE}}]",
      "Envoy filter: subfilter match requires filter match with envoy.filters.network.http_connection_manager"
    ),
    (
      "configPatches: [{applyTo: LISTENER, match: {listener: {filterChain: {filter: ‹{›name: a}}}}, patch: {operation: REMOVE}}]",
      "!Envoy filter: filter match has no effect when used with LISTENER"
    ),
    (
      "configPatches: [{applyTo: CLUSTER, match: {‹waypoint›: {}}, patch: {operation: REMOVE}}]",
      "only support waypointMatch when context is WAYPOINT"
    ),
    ("configPatches: [{applyTo: ‹HTTPFILTER›, patch: {operation: REMOVE}}]", "applyTo: unknown value \"HTTPFILTER\""),
  ]

  @Test(arguments: authentications.map(\.0))
  func `a request authentication's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("RequestAuthentication", spec, in: Self.authentications)
  }

  @Test(arguments: peers.map(\.0))
  func `a peer authentication's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("PeerAuthentication", spec, in: Self.peers)
  }

  @Test(arguments: telemetries.map(\.0))
  func `a telemetry's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("Telemetry", spec, in: Self.telemetries)
  }

  @Test(arguments: plugins.map(\.0))
  func `a plugin's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("WasmPlugin", spec, in: Self.plugins)
  }

  @Test(arguments: filters.map(\.0))
  func `an envoy filter's mistake is said with its place`(_ spec: String) throws {
    try checkPlaced("EnvoyFilter", spec, in: Self.filters)
  }

  @Test(arguments: [
    ("RequestAuthentication", "{}"), ("RequestAuthentication", rule + "jwks: \"{\\\"keys\\\": [\(rsa)]}\""),
    ("RequestAuthentication", "jwtRules: [{jwksUri: \"http://[::1]:8080/keys\"}]"),
    (
      "RequestAuthentication",
      rule
        + "fromHeaders: [{name: x-a, prefix: \"B \"}]\n  outputClaimToHeaders: [{header: x-b, claim: sub}]\n  timeout: 2s"
    ),
    ("PeerAuthentication", "mtls: {mode: STRICT}"),
    (
      "Telemetry",
      "tracing: [{match: {mode: CLIENT}, providers: [{name: a}], randomSamplingPercentage: 0.5, customTags: {a: {formatter: {value: \"%A%\"}}, b: {environment: {name: B, defaultValue: c}}}}]"
    ),
    (
      "Telemetry",
      "metrics: [{overrides: [{match: {metric: REQUEST_COUNT, mode: SERVER}, disabled: true, tagOverrides: {a: {value: \"x\"}, b: {operation: REMOVE}}}], reportingInterval: 10s}]"
    ),
    (
      "Telemetry",
      "accessLogging: [{providers: [{name: envoy}], filter: {expression: \"response.code >= 400 || a['b('] == \\\"c\\\\\\\"\\\"\"}}]"
    ),
    (
      "EnvoyFilter",
      "configPatches: [{applyTo: HTTP_FILTER, match: {context: WAYPOINT, waypoint: {filter: {name: a, subFilter: {name: b}}}}, patch: {operation: REMOVE}}]"
    ),
    ("WasmPlugin", "url: oci://a/b:1\npluginConfig: {any: [thing]}\nvmConfig: {env: [{name: A, valueFrom: HOST}]}"),
    (
      "EnvoyFilter",
      "workloadSelector: {labels: {a: b}}\nconfigPatches: [{applyTo: HTTP_FILTER, match: {context: GATEWAY, proxy: {proxyVersion: \"^1\"}, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: b}}}}}, patch: {operation: INSERT_BEFORE, value: {name: c}}}]"
    ),
  ])
  func `what is fine is left alone`(_ kind: String, _ spec: String) {
    let result = load(PlacedSpec(kind, spec).yaml)
    #expect(result.diagnostics.isEmpty && result.broken.isEmpty, "\(result.diagnostics)")
    #expect(result.resources.headers.map(\.kind) == [kind])
  }
}
