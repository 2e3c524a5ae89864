import Testing

@testable import Resources

/// Kinds that have no effect on a gateway are read as strictly as the others, and it is said that they have none.
@Suite struct InertKindsTests {
  private func say(_ yaml: String) -> [String] {
    load(yaml).diagnostics.map { diagnostic in
      let found = finding(diagnostic, in: yaml)
      return "\(found.line) \(found.token) \(found.label)"
    }
  }

  @Test func `a workload group is checked`() {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: WorkloadGroup
      metadata: {name: g}
      spec:
        metadata: {labels: {app: x}}
        template: {serviceAccount: x, ports: {http: 80}}
        probe:
          periodSeconds: -1
          httpGet: {port: 0, scheme: FTP}
          exec: {command: []}
      """
    #expect(
      say(yaml) == [
        "2 WorkloadGroup info[SP1015]", "8 -1 error[IST0106]", "9 0 error[IST0106]", "9 FTP error[IST0106]",
        "10 exec error[IST0106]", "10 command error[IST0106]",
      ])
    #expect(say(yaml.replacing("template: {", with: "templat: {")).contains("6 templat error[IST0106]"))
  }

  @Test func `a sidecar is checked, and single fields of it are not spoken of`() {
    let yaml = """
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: {name: s}
      spec:
        workloadSelector: {labels: {app: x}}
        ingress:
        - port: {number: 80, protocol: HTTP, name: http}
          defaultEndpoint: 127.0.0.1:8080
          connectionPool: {http: {http1MaxPendingRequests: 1}}
        egress:
        - hosts: ["./*"]
          captureMod: NONE
        outboundTrafficPolicy: {mode: ANY}
      """
    #expect(
      say(yaml) == ["2 Sidecar info[SP1015]", "12 captureMod error[IST0106]", "13 ANY error[IST0106]"])
  }

  @Test func `concurrency of a proxy config is read, the rest is a pod's`() throws {
    let yaml = """
      apiVersion: networking.istio.io/v1beta1
      kind: ProxyConfig
      metadata: {name: p}
      spec:
        selector: {matchLabels: {app: x}}
        concurrency: 3
        environmentVariables: {A: b}
        image: {imageType: distroless}
      """
    #expect(say(yaml) == ["7 environmentVariables info[SP1015]", "8 image info[SP1015]"])
    let config = try #require(load(yaml).resources.proxyConfigs.first)
    #expect(config.spec.concurrency?.value == 3 && config.spec.selector?["app"]?.value == "x")
    #expect(say(yaml.replacing("concurrency: 3", with: "concurrency: -3")).contains("6 -3 error[IST0106]"))
  }

  @Test(arguments: [
    ("EnvoyFilter", "networking.istio.io/v1", "networking.istio.io/v1alpha3"),
    ("ProxyConfig", "networking.istio.io/v1", "networking.istio.io/v1beta1"),
    ("AuthorizationPolicy", "security.istio.io/v1alpha1", "security.istio.io/v1, security.istio.io/v1beta1"),
  ])
  func `a version that a kind is not served in is refused`(_ kind: String, _ version: String, _ served: String) {
    let result = load("apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: a}\nspec: {}\n")
    #expect(result.diagnostics.map(\.message) == ["apiVersion \"\(version)\" is not served for \(kind)"])
    #expect(result.diagnostics.first?.help == "one of \(served)")
  }
}
