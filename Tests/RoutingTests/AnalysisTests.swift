import Testing

@testable import Resources
@testable import Routing

/// Every analyzer, at the exact place; and what is fine is left alone.
@Suite struct AnalysisTests {
  /// Resources with marks.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let yaml: String

    init(_ name: String, _ yaml: String) {
      self.name = name
      self.yaml = yaml
    }

    var testDescription: String { name }
  }

  @Test(
    arguments: virtualServiceCases + meshCases + upstreamCases + gatewayCases + serviceCases + policyCases
      + referenceCases + scopeCases + conditionCases + policyReachCases + upstreamNameCases + probeCases)
  func `says what is marked, where it is marked, and nothing else`(_ testCase: Case) {
    let marked = Marked(testCase.yaml)
    let diagnostics = Marked.check(Marked.load(testCase.yaml))
    #expect(Marked.places(diagnostics) == marked.findings, "\(diagnostics.map(\.message))")
  }

  @Test(arguments: [
    ("action: DENY, rules: [{}]", "requests that it denies are answered all the same"),
    ("rules: [{}]", "requests that it does not allow are answered all the same"),
    ("{}", "it allows no request, and all are answered"),
    (
      "action: CUSTOM, provider: {name: opa}, rules: [{}]",
      "requests are answered without asking provider \"opa\""
    ),
  ])
  func `run says what it means that a policy is not enforced`(_ spec: String, _ consequence: String) {
    let yaml = """
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: {name: p, namespace: n}
      spec: \(spec.hasPrefix("{") ? spec : "{\(spec)}")
      """
    let said = { (identity: InstanceIdentity) in
      SnapshotCompiler(
        Marked.load(yaml).resources, identity: identity, readinessProbes: [], options: CompilerOptions(),
        readFile: { _ in nil }
      ).compile(generation: 1).diagnostics.map { "\($0.severity.label)[\($0.code)]: \($0.message)" }
    }
    #expect(
      said(InstanceIdentity(name: "i", namespace: "n"))
        == ["warning[SP1016]: AuthorizationPolicy n/p is not enforced: \(consequence)"])
    #expect(said(InstanceIdentity(name: "i", namespace: "other")) == [])
  }

  @Test func `every code that is reported is in the catalogue, and the other way round`() throws {
    let root = Repository.root
    var used: Set<String> = []
    for file in Repository.files(below: "\(root)/Sources", suffix: ".swift") {
      let text = try Repository.text(file)
      if file.contains("MessageCatalog+") || file.hasSuffix("/Message.swift") { continue }
      // Codes are whole literals.
      for word in text.split(separator: "\"") where word.utf8.count < 8 && word.dropFirst(3).allSatisfy(\.isNumber) {
        let isCode = word.hasPrefix("IST0") && word.count == 7 || word.hasPrefix("SP1") && word.count == 6
        if isCode { used.insert(String(word)) }
      }
    }
    #expect(used.sorted() == MessageCatalog.all.map(\.code).sorted())
  }

  @Test func `the page of diagnostics has a section for each code, and is what the program prints`() throws {
    let page = try Repository.text("\(Repository.root)/docs/diagnostics.md")
    for message in MessageCatalog.all { #expect(page.contains("## \(message.code) \(message.title)\n")) }
    #expect(page == MessageCatalog.page, "write it anew: sallyport check --explain all > docs/diagnostics.md")
  }

  /// Every code of `istioctl analyze`.
  private static let istioCodes =
    [1, 2] + Array(101...103) + Array(106...112) + [116, 118, 123] + Array(125...164) + Array(165...177)

  @Test func `every code of istioctl analyze is reported, or it is said why not`() {
    let reported = MessageCatalog.all.map(\.code).filter { $0.hasPrefix("IST") }
    let absent = MessageCatalog.absent.flatMap(\.codes)
    let codes = Self.istioCodes.map { "IST0" + String(String(1000 + $0).dropFirst()) }
    #expect((reported + absent).sorted() == codes.sorted())
    #expect(MessageCatalog.absent.allSatisfy { !$0.why.isEmpty })
  }

  @Test func `codes are explained in any case, and near misses are named`() {
    #expect(MessageCatalog.message("ist0101")?.title == "ReferencedResourceNotFound")
    #expect(MessageCatalog.message("IST9999") == nil)
    #expect(MessageCatalog.suggestion(for: "IST010") != nil)
  }

  @Test(arguments: [
    ("IST0130=VirtualService a.default", true), ("IST0130=VirtualService *", true), ("*=*", true),
    ("IST01*=* *.default", true), ("IST0131=VirtualService a.default", false),
    ("IST0130=VirtualService b.default", false), ("IST0130=VirtualService a.other", false),
    ("IST0130=Gateway a.default", false), ("IST0130=*a*b*", false),
  ])
  func `suppression is by code and resource`(_ text: String, _ isCovered: Bool) throws {
    let finding = Diagnostic("IST0130", .warning, "m", resource: "VirtualService default/a")
    #expect(try #require(Suppression(text)).covers(finding) == isCovered)
  }

  @Test(arguments: ["", "IST0130", "=x", "IST0130="])
  func `a suppression needs both sides`(_ text: String) {
    #expect(Suppression(text) == nil)
  }

  @Test func `resources suppress their own findings by annotation`() {
    let loaded = Marked.load(
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: a
        annotations: {galley.istio.io/analyze-suppress: "IST0118, SP1034"}
      spec: {ports: [{port: 80, name: web}]}
      """)
    let findings = Marked.check(loaded)
    #expect(findings.map(\.code) == ["IST0118"])
    let suppressions = Suppression.annotations(of: loaded.resources)
    #expect(suppressions.count == 2 && suppressions.contains { $0.covers(findings[0]) })
  }

  @Test(arguments: [
    ("IST0130", true), ("IST0134", true), ("SP1001", true), ("IST01*", true), ("*", true), ("IST9999", false),
    ("SP2*", false), ("ist0130", false), ("", false),
  ])
  func `codes that exist, and patterns that fit one, can be suppressed`(_ code: String, _ isKnown: Bool) {
    #expect(Suppression.isKnown(code: code) == isKnown)
  }

  @Test(arguments: [
    ("/api/.*", "/api/", RegexShape.Rest.anything), ("^/api/v1$", "/api/v1", RegexShape.Rest.nothing),
    ("/a\\.b\\/.*", "/a.b/", RegexShape.Rest.anything),
    (".*", "", RegexShape.Rest.anything), ("", "", RegexShape.Rest.nothing), ("/ab?", "/a", RegexShape.Rest.pattern),
    ("/ab*", "/a", RegexShape.Rest.pattern),
    ("/a{2}", "/", RegexShape.Rest.pattern), ("/a|b", "", RegexShape.Rest.pattern),
    ("/a.+", "/a", RegexShape.Rest.pattern), ("/a.*b", "/a", RegexShape.Rest.pattern),
    ("/a\\$", "/a$", RegexShape.Rest.nothing), ("/\\w+", "/", RegexShape.Rest.pattern),
    ("(?i)/a", "", RegexShape.Rest.pattern), ("/[ab].*", "/", RegexShape.Rest.pattern),
  ])
  func `what a regular expression begins with`(_ pattern: String, _ start: String, _ rest: RegexShape.Rest) {
    let shape = RegexShape(pattern)
    #expect(shape.start == start && shape.rest == rest)
  }

  @Test func `a condition on a header named as a part of the request compares that header`() throws {
    let snapshot = compile(
      routing("- match: [{headers: {Method: {exact: GET}}}]\n  route: [{destination: {host: up.example}}]")
    ).snapshot
    let predicate = try #require(snapshot.predicates.first)
    #expect(snapshot.predicates.count == 1 && predicate.subject == .header)
  }

  // MARK: Certificates

  struct Certificate: Sendable, CustomTestStringConvertible {
    let codes: [String]
    let change: @Sendable (inout CertificateReport) -> Void
    var testDescription: String { codes.joined(separator: " ") }
  }

  static let day: Int64 = 86_400

  @Test(arguments: [
    Certificate(codes: []) { _ in },
    Certificate(codes: ["IST0161"]) { $0.problem = "the private key does not belong to the certificate" },
    Certificate(codes: ["IST0161"]) { $0.notAfter = 100 * day },
    Certificate(codes: ["SP1040"]) { $0.notAfter = 129 * day },
    Certificate(codes: []) { $0.notAfter = 130 * day },
    Certificate(codes: ["SP1046"]) { $0.notBefore = 101 * day },
    Certificate(codes: ["SP1041"]) { $0.names = ["b.example.com", "*.a.example.com", "*.com"] },
    Certificate(codes: []) { $0.names = ["*.example.com"] },
    Certificate(codes: ["SP1042"]) { $0.isOrdered = false },
    Certificate(codes: ["SP1043"]) { $0.unknownIssuer = "CN=Intermediate" },
    Certificate(codes: ["SP1044"]) { $0.keyBits = 1024 },
    Certificate(codes: []) {
      $0.keyType = "EC"
      $0.keyBits = 256
    },
    Certificate(codes: ["SP1045"]) { $0.isForServers = false },
    Certificate(codes: ["SP1040", "SP1044", "SP1045"]) {
      $0.notAfter = 101 * day
      $0.keyBits = 512
      $0.isForServers = false
    },
  ])
  func `says what clients will not accept of a certificate`(_ certificate: Certificate) {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: g, namespace: edge}
      spec:
        selector: {app: edge}
        servers:
        - hosts: [A.example.com]
          port: {number: 443, name: https, protocol: HTTPS}
          tls: {mode: SIMPLE, credentialName: pair}
      ---
      apiVersion: v1
      kind: Secret
      metadata: {name: pair, namespace: edge}
      stringData: {tls.crt: chain, tls.key: key}
      """
    var report = CertificateReport()
    report.names = ["a.example.com"]
    report.notBefore = 90 * Self.day
    report.notAfter = 400 * Self.day
    report.keyType = "RSA"
    report.keyBits = 2048
    certificate.change(&report)
    let fixed = report
    let findings = Marked.check(Marked.load(yaml), now: 100 * Self.day) { chain, key in
      #expect(chain == Array("chain".utf8) && key == Array("key".utf8))
      return fixed
    }.filter { $0.code != "SP1034" }
    #expect(findings.map(\.code).sorted() == certificate.codes)
    #expect(findings.allSatisfy { $0.location?.line == 9 && $0.location?.column == 41 && $0.location?.length == 4 })
  }
}

/// Files of the repository, for tests that hold documents and code together.
enum Repository {
  static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }

  static func text(_ path: String) throws -> String {
    String(decoding: try #require(FileSystem.read(path), "\(path)"), as: UTF8.self)
  }

  static func files(below directory: String, suffix: String) -> [String] {
    FileSystem.names(in: directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      if FileSystem.isDirectory(path) == true { return name.hasPrefix(".") ? [] : files(below: path, suffix: suffix) }
      return name.hasSuffix(suffix) ? [path] : []
    }
  }
}
