import Testing
import Wire

@testable import Resources
@testable import Routing

@Suite struct DiffTests {
  private static func compare(_ old: String, _ new: String) -> InstanceDifference {
    SnapshotDiffer(old: RandomTables.compile(old), new: RandomTables.compile(new)).compare()
  }

  private static func gateway(_ servers: String = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}")
    -> String
  {
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec: {servers: [\(servers)]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: e, namespace: n}
    spec:
      hosts: [one.test, two.test]
      resolution: DNS
      ports: [{number: 80, name: http, protocol: HTTP}]

    """
  }

  private static func routes(_ rules: String..., hosts: String = "a.test") -> String {
    gateway() + """
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v, namespace: n}
      spec:
        hosts: ["\(hosts)"]
        gateways: [g]
        http:

      """ + rules.map { "  - {\($0)}\n" }.joined()
  }

  private static let one = "route: [{destination: {host: one.test}}]"
  private static let two = "route: [{destination: {host: two.test}}]"

  @Test(arguments: 0..<60)
  func `finds no difference between a configuration and itself in another file`(_ seed: Int) {
    var tables = RandomTables(seed: seed)
    let yaml = tables.configuration()
    #expect(Self.compare(yaml, "# moved by a line\n" + yaml).isEmpty)
  }

  @Test(arguments: 0..<150)
  func `misses no change of a rule that a request can see`(_ seed: Int) {
    var tables = RandomTables(seed: seed)
    let old = tables.configuration()
    let new = Self.mutated(old, &tables.random)
    let (before, after) = (Explainer(RandomTables.compile(old)), Explainer(RandomTables.compile(new)))
    let difference = SnapshotDiffer(old: before.snapshot, new: after.snapshot).compare()
    let outcome = { (explainer: Explainer, request: SampleRequest) in
      RequestOutcome(explainer.explain(request), explainer.snapshot)
    }
    for witness in difference.requests.map(\.witness) {
      #expect(!RequestOutcome.changes(from: outcome(before, witness), to: outcome(after, witness)).isEmpty)
    }
    for _ in 0..<200 {
      let request = tables.request()
      let changes = RequestOutcome.changes(from: outcome(before, request), to: outcome(after, request))
      guard !changes.isEmpty else { continue }
      #expect(!difference.requests.isEmpty, "seed \(seed): \(request.curl) \(changes)")
    }
  }

  /// Removes a rule, doubles it at the top, or gives it another action.
  private static func mutated(_ yaml: String, _ random: inout RouteIndexTests.Generator) -> String {
    var lines = yaml.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let rules = lines.indices.filter { lines[$0].hasPrefix("  - {name: v") }
    guard let index = rules.randomElement(using: &random) else { return yaml }
    // A VirtualService keeps at least one rule.
    let isAlone = !rules.contains(index - 1) && !rules.contains(index + 1)
    switch Int.random(in: 0..<3, using: &random) {
    case 0 where !isAlone: lines.remove(at: index)
    case 1 where rules.contains(index - 1): lines.swapAt(index, index - 1)
    default:
      let match = lines[index].firstRange(of: "}], ").map { lines[index][..<$0.upperBound] } ?? ""
      lines[index] = match + "directResponse: {status: 418}}"
    }
    return lines.joined(separator: "\n")
  }

  /// Conditions, and another that differs from it as little as possible.
  @Test(arguments: [
    ("uri: {exact: /a}", "uri: {prefix: /a}"), ("uri: {prefix: /a}", "uri: {prefix: /a/}"),
    ("uri: {prefix: /a}", "uri: {prefix: /a}, ignoreUriCase: true"),
    ("uri: {regex: \"/[a-c]+/x\"}", "uri: {regex: \"/[a-c]/x\"}"),
    ("method: {exact: GET}", "method: {exact: POST}"), ("method: {exact: GET}", ""),
    ("headers: {x-a: {exact: \"1\"}}", "headers: {x-a: {}}"),
    ("headers: {x-a: {exact: \"1\"}}", "headers: {x-a: {prefix: \"1\"}}"),
    ("headers: {x-a: {exact: \"1\"}, x-b: {}}", "headers: {x-a: {exact: \"1\"}}"),
    ("withoutHeaders: {x-a: {}}", ""), ("withoutHeaders: {x-a: {exact: \"1\"}}", "withoutHeaders: {x-a: {}}"),
    ("queryParams: {q: {exact: a}}", "queryParams: {q: {exact: b}}"), ("queryParams: {q: {exact: a}}", ""),
    ("headers: {x: {regex: \"v[12]\"}}", "headers: {x: {regex: \"v[123]\"}}"),
    ("withoutHeaders: {x: {regex: \"v[12]\"}}", "withoutHeaders: {x: {regex: \"v[123]\"}}"),
    ("queryParams: {x: {regex: \"[0-9]{3}\"}}", "queryParams: {x: {regex: \"[0-9]{3,7}\"}}"),
    ("uri: {regex: \"/a/[^/]+\"}", "uri: {regex: \"/a/.+\"}"), ("uri: {regex: \"(?i)/abc\"}", "uri: {regex: /abc}"),
    ("uri: {regex: \"/u/[0-9]+\"}", "uri: {regex: \"/u/[0-9]{1,8}\"}"),
    ("uri: {regex: \"/[a-z]+\"}", "uri: {prefix: /a}"),
    ("method: {regex: \"GET|PUT\"}", "method: {regex: \"GET|PUT|PATCH\"}"),
    ("authority: {exact: a.test}", "authority: {prefix: a}"), ("scheme: {exact: http}", "scheme: {exact: https}"),
  ])
  func `shows each change of a condition by a request`(_ left: String, _ right: String) {
    let other = "name: other, \(Self.two)"
    let old = Self.routes("name: r, match: [{\(left)}], \(Self.one)", other)
    let new = Self.routes("name: r, match: [{\(right)}], \(Self.one)".replacing("match: [{}], ", with: ""), other)
    for (before, after) in [(old, new), (new, old)] {
      let difference = Self.compare(before, after)
      #expect(!difference.requests.isEmpty)
      #expect(difference.requests.allSatisfy { $0.old.destination != $0.new.destination })
    }
  }

  @Test func `reports a destination once for all requests of a rule`() throws {
    let difference = Self.compare(Self.routes(Self.one), Self.routes(Self.two))
    let request = try #require(difference.requests.first)
    #expect(difference.requests.count == 1)
    #expect(request.old.destination == "outbound|80||one.test" && request.new.destination == "outbound|80||two.test")
    #expect(request.witness.curl == "curl http://a.test/")
    #expect(
      difference.clusters.map { "\($0.kind) \($0.name)" } == [
        "removed outbound|80||one.test", "added outbound|80||two.test",
      ])
  }

  @Test(arguments: [
    (one, one + ", timeout: 5s", "timeout"), (one, one + ", retries: {attempts: 0}", "retries"),
    (one, one + ", rewrite: {uri: /x}", "sends"), (one, one + ", rewrite: {authority: x.test}", "sends"),
    (one, one + ", headers: {request: {set: {x-a: b}}}", "headers.request.set"),
    (one, one + ", headers: {response: {remove: [server]}}", "headers.response.remove"),
    ("directResponse: {status: 200, body: {string: a}}", "directResponse: {status: 200, body: {string: b}}", "body"),
    ("redirect: {uri: /a}", "redirect: {uri: /b}", "destination"),
    (one, one + ", fault: {delay: {fixedDelay: 1s, percentage: {value: 10}}}", "fault.delay"),
    (
      one + ", fault: {abort: {httpStatus: 503, percentage: {value: 10}}}",
      one + ", fault: {abort: {httpStatus: 503, percentage: {value: 12.5}}}", "fault.abort"
    ),
    (one, one + ", fault: {abort: {httpStatus: 503, percentage: {value: 100}}}", "destination"),
    (one, one + ", corsPolicy: {allowOrigins: [{exact: \"https://a.test\"}]}", "corsPolicy.allowOrigins"),
    (
      "route: [{destination: {host: one.test}, weight: 1}, {destination: {host: two.test}, weight: 1}]",
      "route: [{destination: {host: one.test}, weight: 2}, {destination: {host: two.test}, weight: 1}]", "destination"
    ),
  ])
  func `names what is treated differently`(_ old: String, _ new: String, _ name: String) {
    let difference = Self.compare(Self.routes(old), Self.routes(new))
    #expect(Set(difference.requests.flatMap { $0.changes.map(\.name) }) == [name])
  }

  @Test func `equal proportions are the same`() {
    let rule = { (a: Int, b: Int) in
      "route: [{destination: {host: one.test}, weight: \(a)}, {destination: {host: two.test}, weight: \(b)}]"
    }
    #expect(Self.compare(Self.routes(rule(1, 3)), Self.routes(rule(25, 75))).isEmpty)
  }

  @Test func `a rule behind one that takes everything changes nothing`() {
    #expect(Self.compare(Self.routes(Self.one), Self.routes(Self.one, Self.two)).isEmpty)
  }

  /// Rewrites, and another that changes other paths.
  @Test(arguments: [
    ("match: '^/v1/(.*)', rewrite: '/\\1'", "match: '^/v2/(.*)', rewrite: '/\\1'"),
    ("match: '^/v1/(.*)', rewrite: '/\\1'", ""),
    ("match: '/u/([0-9]{5})/.*', rewrite: '/z/\\1'", ""),
    ("match: '/u/([0-9]{5})/.*', rewrite: '/z/\\1'", "match: '/u/([0-9]{4})/.*', rewrite: '/z/\\1'"),
    ("match: '^/(a+)/(b+)$', rewrite: '/\\1'", "match: '^/(a+)/(b+)$', rewrite: '/\\2'"),
  ])
  func `shows each change of a rewrite by a request`(_ left: String, _ right: String) {
    for condition in ["uri: {prefix: /}", "uri: {regex: \"/(v1|u/[0-9]+|a*)/(x|edit|view|b*)\"}"] {
      let sides = [left, right].map { rewrite in
        let text = rewrite.isEmpty ? "" : ", rewrite: {uriRegexRewrite: {\(rewrite)}}"
        return Self.routes("match: [{\(condition)}], \(Self.one)\(text)", "name: other, \(Self.two)")
      }
      // There is nothing of v2 in the narrow rule, so that the change is the one that removes the rewrite.
      for (before, after) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        let difference = Self.compare(before, after)
        #expect(difference.requests.flatMap(\.changes).contains { $0.name == "sends" }, "\(condition) \(left)")
      }
    }
  }

  @Test(arguments: [
    ("uri: {regex: '/(a|b)\\b.[0-9]{3}'}", "uri: {regex: '/(a|c)\\b.[0-9]{3}'}"),
    ("headers: {x: {regex: '(a|b)\\b.'}}", "headers: {x: {regex: '(a|c)\\b.'}}"),
  ])
  func `says so where a rule changed and no request was found`(_ left: String, _ right: String) throws {
    let other = "name: other, \(Self.two)"
    let old = Self.routes("match: [{\(left)}], \(Self.one)", other)
    let new = Self.routes("match: [{\(right)}], \(Self.one)", other)
    let difference = Self.compare(old, new)
    #expect(!difference.isEmpty && difference.requests.isEmpty)
    let rule = try #require(difference.rules.first)
    #expect(difference.rules.count == 1 && rule.hosts == ["a.test"] && rule.change.changes.map(\.name) == ["match"])
    #expect(rule.change.old != nil && rule.change.new != nil)
    #expect(Self.compare(old, "# moved\n" + old).isEmpty)
  }

  @Test func `sees another operator in a header value`() {
    let sides = ["%PROTOCOL%", "%RESPONSE_CODE%"].map { value in
      Self.routes("headers: {response: {set: {x-a: \"\(value)\"}}}, \(Self.one)")
    }
    let difference = Self.compare(sides[0], sides[1])
    #expect(difference.requests.flatMap(\.changes).map(\.name).contains { $0.hasPrefix("headers.response") })
  }

  /// Texts that differ, and mean the same for certain.
  @Test(arguments: [
    ("match: [{uri: {regex: \"/v[12]\"}}], \(one)", "match: [{uri: {regex: \"/v(1|2)\"}}], \(one)"),
    ("match: [{headers: {x: {regex: \"1\"}}}], \(one)", "match: [{headers: {x: {exact: \"1\"}}}], \(one)"),
    ("match: [{uri: {prefix: /x}}], \(two)", "match: [{uri: {prefix: /y}, method: {exact: PUT}}], \(two)"),
  ])
  func `rules that mean the same are no change`(_ old: String, _ new: String) {
    let other = "name: other, \(Self.two)"
    #expect(Self.compare(Self.routes(old, other), Self.routes(new, other)).isEmpty)
    #expect(Self.compare(Self.routes(new, other), Self.routes(old, other)).isEmpty)
  }

  @Test(arguments: [
    ("allowOrigins: [{exact: \"https://x.test\"}]", "allowOrigins: [{exact: \"https://y.test\"}]", "GET"),
    ("allowOrigins: [{regex: \".*\"}]", "allowOrigins: [{regex: \".*\"}], allowMethods: [PUT]", "OPTIONS"),
  ])
  func `a change of corsPolicy is shown by a request of another origin`(
    _ left: String, _ right: String, _ method: String
  ) throws {
    let rule = { (policy: String) in Self.routes("\(Self.one), corsPolicy: {\(policy)}") }
    let witness = try #require(Self.compare(rule(left), rule(right)).requests.first?.witness)
    #expect(witness.method == method)
    #expect(witness.fields.contains { $0.name == "origin" && $0.value.hasPrefix("https://") })
    #expect(witness.fields.contains { $0.name == "access-control-request-method" } == (method == "OPTIONS"))
  }

  @Test func `lists listeners that open and close`() {
    let extra = ", {port: {number: 81, name: more, protocol: HTTP}, hosts: [\"*\"]}"
    let http = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}"
    let opened = Self.compare(Self.gateway(http), Self.gateway(http + extra))
    #expect(opened.listeners.map(\.kind) == [.added] && opened.listeners[0].name.hasPrefix("0.0.0.0_81 "))
    let closed = Self.compare(Self.gateway(http + extra), Self.gateway(http))
    #expect(closed.listeners.map(\.kind) == [.removed])
  }

  @Test func `compares what upstreams are told, whichever rule says it`() {
    let rule = { (name: String, policy: String) in
      """
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: {name: \(name), namespace: n}
      spec: {host: one.test, trafficPolicy: \(policy)}

      """
    }
    let base = Self.routes(Self.one)
    let plain = base + rule("d", "{tls: {mode: SIMPLE}}")
    let changed = Self.compare(
      plain, base + rule("d", "{tls: {mode: SIMPLE, sni: x.test}, connectionPool: {tcp: {connectTimeout: 1s}}}"))
    #expect(changed.clusters.map(\.name) == ["outbound|80||one.test"])
    #expect(Set(changed.clusters[0].changes.map(\.name)) == ["tls.sni", "tls.verifies", "connectTimeout"])
    let ejecting = base + rule("d", "{tls: {mode: SIMPLE}, outlierDetection: {maxEjectionPercent: 50}}")
    let ejects = Self.compare(plain, ejecting).clusters.flatMap(\.changes)
    #expect(ejects.contains { $0.name == "outlierDetection.maxEjectionPercent" && $0.new == "50" })
    #expect(Self.compare(plain, base + rule("renamed", "{tls: {mode: SIMPLE}}")).isEmpty)
  }

  @Test func `compares certificates without showing keys`() {
    let server =
      "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: SIMPLE, credentialName: c}}"
    let secret = { (certificate: String, key: String) in
      Self.gateway(server) + """
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: c, namespace: n}
        stringData: {tls.crt: "\(certificate)", tls.key: "\(key)"}

        """
    }
    let renewed = Self.compare(secret("one", "key"), secret("two", "key"))
    #expect(renewed.certificates.map(\.name) == ["a.test at 0.0.0.0_443"])
    #expect(renewed.certificates[0].changes.map(\.name) == ["certificates"])
    let rekeyed = Self.compare(secret("one", "key1"), secret("one", "key2"))
    #expect(rekeyed.certificates[0].changes.map(\.new) == ["[redacted]"])
    #expect(Self.compare(secret("one", "key"), secret("one", "key")).isEmpty)
  }
}

@Suite struct RegexExampleTests {
  @Test(arguments: [
    "/a", "/[0-9]+", "/v[12]/.*", "/(a|b)/c?", "/x{2,3}", "/x{2}", "^/a$", "/[^/]+/x", "/\\d+\\.html", "/(?:a|b)*",
    "(?i)/a", "/(?<id>[a-z]+)", "/[\\w-]+", ".*", "/[]a]", "/a|/b", "/\\w+/\\W",
  ])
  func `makes up texts that match`(_ pattern: String) throws {
    let table = RegexTable()
    let index = try table.add(pattern)
    for taste in RegexExample.Taste.allCases {
      let text = try #require(RegexExample.text(for: pattern, taste))
      let bytes = Array(text.utf8)
      let isMatch = table.matches(index, bytes.span.raw, MatchContext())
      #expect(isMatch, "\(pattern): \(text)")
    }
  }

  @Test(arguments: ["/(?=a)a", "/(a", "/\\1", "/[[:alpha:]]", "\\pL", "/a{x}"])
  func `gives nothing for what it does not understand`(_ pattern: String) {
    #expect(RegexExample.text(for: pattern, .shortest) == nil)
  }
}
