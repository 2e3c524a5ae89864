import Testing

@testable import Resources
@testable import Routing

/// A number ends no process, however large: it is taken, or refused at its place.
@Suite struct ExtremeNumbersTests {
  private static let extremes = [
    "0", "-1", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "1.7976931348623157e308", "1e400", ".nan", "-.inf", "0x7fffffffffffffff",
  ]

  private static let durations = [
    "0s", "1ns", "-1s", "9223372036s", "2562047h", "2562048h", "9999999999999999999h", "1e9s", "106751d",
    "9223372036854ms", "9223372036854775807ms",
  ]

  /// Every number of a good configuration, each in the place of every other.
  @Test func `numbers and durations beyond all bounds`() {
    let pieces = Self.configuration.split(separator: "#", omittingEmptySubsequences: false)
    #expect(pieces.count.isMultiple(of: 2) == false && pieces.count > 60)
    for place in stride(from: 1, to: pieces.count, by: 2) {
      let isDuration = pieces[place].last.map { !$0.isNumber } ?? false
      for value in isDuration ? Self.durations : Self.extremes {
        var text = pieces
        text[place] = Substring(value)
        var result = LoadResult()
        ResourceLoader.load(text: Array(text.joined().utf8), file: "test.yaml", into: &result)
        let output = SnapshotCompiler(
          result.resources,
          identity: InstanceIdentity(name: "gw", namespace: "n", labels: ["istio-locality": "a.b.c"]),
          readinessProbes: [], options: CompilerOptions(), readFile: { _ in nil }
        ).compile(generation: 1)
        #expect(!output.snapshot.listeners.isEmpty)
        _ = Marked.check(result)
      }
    }
  }

  private static let configuration = """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: up, namespace: n}
    spec:
      hosts: [up.example]
      ports: [{number: #80#, name: http, protocol: HTTP, targetPort: #8080#}]
      resolution: STATIC
      endpoints:
      - {address: 127.0.0.1, ports: {http: #21001#}, weight: #1#, locality: a/b/c}
      - {address: 127.0.0.2, weight: #1#, locality: a/b/d}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: n}
    spec:
      hosts: ["*"]
      gateways: [g]
      http:
      - match: [{uri: {prefix: /w}, port: #80#}]
        timeout: #10s#
        retries: {attempts: #3#, perTryTimeout: #2s#, retryOn: "5xx,503", backoff: #25ms#}
        fault:
          delay: {fixedDelay: #1s#, percentage: {value: #0.5#}}
          abort: {httpStatus: #503#, percentage: {value: #0.5#}}
        corsPolicy: {allowOrigins: [{exact: a}], maxAge: #24h#}
        mirrors: [{destination: {host: up.example, port: {number: #80#}}, percentage: {value: #10#}}]
        route:
        - {destination: {host: up.example, port: {number: #80#}, subset: s}, weight: #30#}
        - {destination: {host: up.example, subset: t}, weight: #70#}
      - match: [{uri: {prefix: /d}}]
        directResponse: {status: #200#, body: {string: x}}
      - match: [{uri: {prefix: /r}}]
        redirect: {uri: /x, port: #8443#, redirectCode: #302#}
      - mirror: {host: up.example}
        mirrorPercent: #50#
        fault: {delay: {fixedDelay: #1s#, percent: #50#}}
        route: [{destination: {host: up.example, subset: u}}]
    ---
    apiVersion: networking.istio.io/v1
    kind: DestinationRule
    metadata: {name: d, namespace: n}
    spec:
      host: up.example
      trafficPolicy:
        connectionPool:
          tcp:
            maxConnections: #100#
            connectTimeout: #5s#
            maxConnectionDuration: #10s#
            idleTimeout: #60s#
            tcpKeepalive: {probes: #3#, time: #10s#, interval: #5s#}
          http:
            http1MaxPendingRequests: #10#
            http2MaxRequests: #100#
            maxRequestsPerConnection: #10#
            maxRetries: #3#
            idleTimeout: #30s#
            maxConcurrentStreams: #10#
            http2KeepAlive: {interval: #5s#, timeout: #2s#}
        outlierDetection:
          consecutive5xxErrors: #5#
          consecutiveGatewayErrors: #3#
          interval: #5s#
          baseEjectionTime: #30s#
          maxEjectionPercent: #50#
          minHealthPercent: #20#
        loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: #30s#, minimumPercent: #10#, aggression: #1.5#}}
        retryBudget: {percent: #20#, budgetInterval: #10s#, minRetryConcurrency: #3#}
      subsets:
      - name: s
        trafficPolicy:
          loadBalancer: {consistentHash: {httpCookie: {name: c, path: /, ttl: #60s#}, maglev: {tableSize: #65537#}}}
      - name: t
        trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: #1024#}}}}
      - name: u
        trafficPolicy:
          loadBalancer: {localityLbSetting: {distribute: [{from: a/b/c, to: {a/b/c: #80#, a/b/d: #20#}}]}}
    ---
    apiVersion: sallyport.dev/v1alpha1
    kind: UpstreamProbe
    metadata: {name: p, namespace: n}
    spec:
      host: up.example
      port: #80#
      probe:
        httpGet: {path: /, port: #80#}
        initialDelaySeconds: #1#
        periodSeconds: #2#
        timeoutSeconds: #3#
        successThreshold: #4#
        failureThreshold: #5#
      minHealthyPercent: #50#
    """
}
