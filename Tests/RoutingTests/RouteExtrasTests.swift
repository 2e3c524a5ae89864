import Testing

@testable import Resources
@testable import Routing

/// What few rules ask for, from YAML to the snapshot.
@Suite struct RouteExtrasTests {
  private static let destination = "  route: [{destination: {host: up.example}}]"

  private func route(_ fields: String) throws -> (route: Route, snapshot: Snapshot, output: SnapshotCompiler.Output) {
    let output = compile(routing("- \(fields)\n\(Self.destination)"))
    return (try #require(output.snapshot.routes.first), output.snapshot, output)
  }

  @Test func `a plain rule asks for nothing`() throws {
    let (route, snapshot, _) = try route("name: plain")
    #expect(route.features.isEmpty && route.extras == -1 && snapshot.routeExtras.isEmpty)
  }

  @Test func `faults become shares of a million`() throws {
    let (route, snapshot, _) = try route(
      "fault: {delay: {fixedDelay: 1.5s, percentage: {value: 0.1}}, abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}"
    )
    let fault = try #require(snapshot.extras(of: route)?.fault)
    #expect(route.features == .fault)
    #expect(fault.delayMilliseconds == 1500 && fault.delayShare == 1000)
    #expect(fault.abort == .grpc(14) && fault.abortShare == 1_000_000)
  }

  @Test func `a fault without a percentage concerns nobody, which is said`() throws {
    let (route, snapshot, output) = try route("fault: {abort: {httpStatus: 500}}")
    #expect(snapshot.extras(of: route)?.fault?.abortShare == 0)
    #expect(output.diagnostics.map(\.code) == ["SP1050"])
  }

  @Test func `the deprecated percent of a delay counts`() throws {
    let (route, snapshot, _) = try route("fault: {delay: {fixedDelay: 1s, percent: 50}}")
    #expect(snapshot.extras(of: route)?.fault?.delayShare == 500_000)
  }

  @Test func `a CORS policy becomes field values`() throws {
    let (route, snapshot, _) = try route(
      "corsPolicy: {allowOrigins: [{exact: '*'}, {exact: a}, {prefix: b}, {regex: c}], allowMethods: [GET, PUT], allowHeaders: [x-a], maxAge: 1h, unmatchedPreflights: IGNORE}"
    )
    let cors = try #require(snapshot.extras(of: route)?.cors)
    #expect(route.features == .cors)
    #expect(cors.origins == [.any, .exact(Array("a".utf8)), .prefix(Array("b".utf8)), .regex(0)])
    #expect(cors.allowMethods == Array("GET,PUT".utf8) && cors.maxAge == Array("3600".utf8))
    #expect(cors.exposeHeaders.isEmpty && !cors.allowCredentials && !cors.forwardsUnmatchedPreflights)
  }

  @Test(arguments: [
    ("name: none", false), ("retries: {attempts: 2}", true), ("retries: {attempts: 2, retryOn: '5xx'}", true),
    ("retries: {attempts: 0}", false), ("retries: {attempts: 1, retryOn: 'connect-failure,refused-stream'}", false),
    ("retries: {attempts: 1, retryOn: 'retriable-status-codes'}", false),
    ("retries: {attempts: 1, retryOn: '503'}", true),
    ("retries: {attempts: 1, retryOn: 'reset'}", true),
  ])
  func `a body is kept where a policy covers what comes after it`(fields: String, isKept: Bool) throws {
    #expect(try route(fields).route.features.contains(.keepsBody) == isKept)
  }

  @Test func `retry settings are taken over`() throws {
    let (route, snapshot, _) = try route(
      "retries: {attempts: 3, perTryTimeout: 2s, backoff: 100ms, retryOn: 'gateway-error,418', retryRemoteLocalities: true, retryIgnorePreviousHosts: false}"
    )
    let policy = snapshot.retryPolicy(route)
    #expect(policy.attempts == 3 && policy.perTryTimeoutMilliseconds == 2000 && policy.backoffMilliseconds == 100)
    #expect(policy.conditions == [.gatewayError, .retriableStatusCodes] && policy.statuses.contains(418))
    #expect(policy.prefersRemoteLocalities && !policy.ignoresPreviousHosts)
  }
}

extension RouteExtrasTests {
  @Test func `mirrors of 0 % and of unknown hosts are left out`() throws {
    let output = compile(
      routing(
        """
        - mirrors:
          - {destination: {host: up.example}}
          - {destination: {host: up.example}, percentage: {value: 12.5}}
          - {destination: {host: up.example}, percentage: {value: 0}}
          - {destination: {host: unknown.example}}
          route: [{destination: {host: up.example}}]
        """))
    let route = try #require(output.snapshot.routes.first)
    #expect(route.features == .mirrors)
    #expect(output.snapshot.extras(of: route)?.mirrors.map(\.share) == [1_000_000, 125_000])
    #expect(output.diagnostics.map(\.code) == ["IST0101"])
  }
}

/// Ways of writing that are older than the ones in use.
@Suite struct OlderFieldsTests {
  private func extras(_ fields: String) throws -> RouteExtras {
    let output = compile(routing("- \(fields)\n  route: [{destination: {host: up.example}}]"))
    let route = try #require(output.snapshot.routes.first)
    return try #require(output.snapshot.extras(of: route))
  }

  @Test func `the older list of origins counts`() throws {
    let cors = try extras("corsPolicy: {allowOrigin: ['*', a]}").cors
    #expect(cors?.origins == [.any, .exact(Array("a".utf8))])
  }

  @Test(arguments: ["mirrorPercentage: {value: 25}", "mirrorPercent: 25", "mirror_percent: 25"])
  func `the older percentages of a mirror count`(percentage: String) throws {
    #expect(try extras("mirror: {host: up.example}\n  \(percentage)").mirrors.map(\.share) == [250_000])
  }

  @Test func `the older count of gateway errors counts`() throws {
    let yaml =
      routing("- route: [{destination: {host: up.example}}]") + """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: up, namespace: n}
        spec: {host: up.example, trafficPolicy: {outlierDetection: {consecutiveErrors: 7}}}

        """
    let policy = try #require(compile(yaml).snapshot.clusters.first).settings.outlierDetection
    #expect(policy?.consecutiveGatewayErrors == 7)
  }
}
