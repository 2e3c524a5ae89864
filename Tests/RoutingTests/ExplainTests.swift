import Testing
import Wire

@testable import Resources
@testable import Routing

@Suite struct ExplainTests {
  @Test(arguments: 0..<80)
  func `decides what the data plane decides`(_ seed: Int) throws {
    var tables = RandomTables(seed: seed)
    let yaml = tables.configuration()
    let snapshot = RandomTables.compile(yaml)
    let explainer = Explainer(snapshot)
    let context = MatchContext()
    for _ in 0..<100 {
      let request = tables.request()
      let head = try request.head()
      let found = snapshot.match(routeConfiguration: 0, head: head, isTLS: false, context: context)
      let explanation = explainer.explain(request)
      #expect(explanation.match == found, "seed \(seed): \(request.curl)")
      expectConsistent(explanation, found, snapshot)
    }
  }

  /// Every rule before the one that matched has a reason, and the end is what the match means.
  private func expectConsistent(_ explanation: Explanation, _ found: RouteMatch, _ snapshot: Snapshot) {
    let url = explanation.request.curl
    if found.virtualHost < 0 {
      #expect(explanation.error?.kind == .noVirtualHost, "\(url)")
    } else if snapshot.virtualHosts[Int(found.virtualHost)].requiresTLS {
      #expect(explanation.error?.kind == .tlsRedirect, "\(url)")
    } else if found.rule < 0 {
      #expect(explanation.error?.kind == .noRoute, "\(url)")
      #expect(explanation.rules.allSatisfy { $0.failure != nil }, "\(url)")
    } else {
      #expect(explanation.error == nil, "\(url)")
      #expect(explanation.rules.last?.failure == nil, "\(url)")
      #expect(explanation.rules.dropLast().allSatisfy { $0.failure != nil }, "\(url)")
      #expect(explanation.rules.last?.location == snapshot.routeFacts[Int(found.route)].location, "\(url)")
      #expect(explanation.answer != nil, "\(url)")
    }
  }

  @Test(arguments: 0..<20)
  func `names rules for other gateways in their places`(_ seed: Int) {
    var tables = RandomTables(seed: seed)
    let yaml = tables.configuration()
    let fleet = GatewayFleet(RandomTables.resources(yaml), snapshots: [RandomTables.compile(yaml)])
    for _ in 0..<20 {
      for explanation in fleet.explain(tables.request()) {
        // Of one VirtualService, without rules that were moved to the end, places ascend.
        let scoped = explanation.rules.filter { $0.failure?.condition == "gateways" }
        #expect(scoped.allSatisfy { $0.failure?.had == "n/g" && $0.failure?.wanted == "n/other" })
        let services = Set(explanation.rules.map(\.virtualService))
        guard services.count == 1 else { continue }
        let lines = explanation.rules.compactMap { rule -> Int? in
          let parts = rule.location.split(separator: ":")
          return Int(parts[1]).flatMap { line in Int(parts[2]).map { line * 1000 + $0 } }
        }
        #expect(lines == lines.sorted())
      }
    }
  }

  private static let rules = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec:
      servers:
      - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
      - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: SIMPLE, credentialName: c}}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: n}
    spec:
      hosts: [a.test]
      gateways: [g]
      http:
      - {name: path, match: [{uri: {exact: /x}}], directResponse: {status: 200}}
      - {name: case, match: [{uri: {prefix: /X}, ignoreUriCase: true}], directResponse: {status: 200}}
      - {name: regex, match: [{uri: {regex: "/[0-9]+"}}], directResponse: {status: 200}}
      - {name: method, match: [{method: {exact: POST}}], directResponse: {status: 200}}
      - {name: scheme, match: [{scheme: {exact: https}}], directResponse: {status: 200}}
      - {name: authority, match: [{authority: {prefix: b}}], directResponse: {status: 200}}
      - {name: header, match: [{headers: {X-Canary: {exact: "1"}}}], directResponse: {status: 200}}
      - {name: present, match: [{headers: {x-other: {}}}], directResponse: {status: 200}}
      - {name: without, match: [{withoutHeaders: {x-canary: {}}}], directResponse: {status: 200}}
      - {name: query, match: [{queryParams: {q: {exact: a}}}], directResponse: {status: 200}}
      - {name: last, match: [{uri: {prefix: /y}}], directResponse: {status: 204, body: {string: abc}}}
    """

  private func explain(_ url: String, _ change: (inout SampleRequest) -> Void = { _ in }) throws -> Explanation {
    var request = try SampleRequest(url: url)
    change(&request)
    return Explainer(RandomTables.compile(Self.rules)).explain(request)
  }

  @Test func `says of every earlier rule what it wanted and what the request had`() throws {
    let explanation = try explain("http://a.test/y?q=b") {
      $0.add("x-canary", "2")
      $0.add("X-Canary", "3")
    }
    let failures = explanation.rules.compactMap { rule in
      rule.failure.map { "\(rule.name): \($0.condition) \($0.wanted) | \($0.had)" }
    }
    #expect(
      failures == [
        "path: uri exact \"/x\" | \"/y\"", "case: uri prefix \"/X\" ignoring case | \"/y\"",
        "regex: uri regex \"/[0-9]+\" | \"/y\"", "method: method exact \"POST\" | \"GET\"",
        "scheme: scheme exact \"https\" | \"http\"", "authority: authority prefix \"b\" | \"a.test\"",
        "header: headers[x-canary] exact \"1\" | \"2,3\"", "present: headers[x-other] present | absent",
        "without: withoutHeaders[x-canary] absent | \"2,3\"", "query: queryParams[q] exact \"a\" | \"b\"",
      ])
    guard case .directResponse(204, 3)? = explanation.answer else {
      Issue.record("\(String(describing: explanation.answer))")
      return
    }
  }

  @Test func `uses the names of Istio`() throws {
    let plain = try explain("http://a.test/x")
    #expect(plain.listener?.name == "0.0.0.0_80" && plain.routeConfiguration == "http.80")
    #expect(plain.virtualHost?.name == "a.test:80" && plain.virtualHost?.virtualServices == ["n/v"])
    let secure = try explain("https://a.test/x")
    #expect(secure.listener?.name == "0.0.0.0_443" && secure.routeConfiguration == "https.443.https.g.n")
    #expect(secure.virtualHost?.name == "a.test:443")
  }

  @Test(arguments: [
    ("http://a.test:81/", ExplainError.Kind.noListener, Int?.none), ("https://b.test/", .noFilterChain, nil),
    ("https://127.0.0.1/", .noFilterChain, nil), ("http://a.test:443/", .noFilterChain, nil),
    ("https://a.test:80/", .noFilterChain, nil), ("https://a.test/x", .noCertificate, nil),
    ("http://b.test/", .noVirtualHost, 404), ("http://a.test/../x", .badRequest, 400),
    ("http://a.test/%00", .badRequest, 400),
  ])
  func `says where a request ends`(_ url: String, _ kind: ExplainError.Kind, _ status: Int?) throws {
    let error = try explain(url).error
    #expect(error?.kind == kind && error?.status == status, "\(String(describing: error))")
  }

  @Test func `says that no rule matches`() throws {
    let explanation = try explain("http://a.test/nothing") { $0.add("x-canary", "2") }
    #expect(explanation.error?.kind == .noRoute && explanation.rules.count == 11)
  }

  @Test func `answers preflights and certain faults before the route does`() throws {
    let yaml =
      Self.rules + """

        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: w, namespace: n}
        spec:
          hosts: [b.test]
          gateways: [g]
          http:
          - match: [{uri: {prefix: /fault}}]
            fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
            route: [{destination: {host: up.n.svc.cluster.local, port: {number: 80}}}]
          - corsPolicy: {allowOrigins: [{exact: "https://page.test"}]}
            route: [{destination: {host: up.n.svc.cluster.local, port: {number: 80}}}]
        """
    let explainer = Explainer(RandomTables.compile(yaml))
    let answer = { (url: String, method: String, origin: String?) throws -> String in
      var request = try SampleRequest(url: url)
      request.method = method
      if let origin {
        request.add("Origin", origin)
        request.add("Access-Control-Request-Method", "PUT")
      }
      return explainer.explain(request).answer.map { "\($0)" } ?? "none"
    }
    #expect(try answer("http://b.test/fault", "GET", nil) == "earlyResponse(status: 418, by: \"fault\")")
    let preflight = try answer("http://b.test/", "OPTIONS", "https://page.test")
    #expect(preflight == "earlyResponse(status: 200, by: \"corsPolicy\")")
    #expect(try answer("http://b.test/", "OPTIONS", "https://other.test").hasPrefix("forward"))
    #expect(try answer("http://b.test/", "GET", "https://page.test").hasPrefix("forward"))
  }

  @Test func `matches the normalised path, as the data plane does`() throws {
    #expect(try explain("http://a.test/z/../x").rules.map(\.name) == ["path"])
    #expect(try explain("http://a.test/%78").rules.map(\.name) == ["path"])
  }
}
