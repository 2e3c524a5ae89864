import Resources
import Testing

/// Readiness probes that run curl, as people put them on their gateways.
struct ReadinessProbeTests {
  @Test(arguments: [
    ("curl https://#:15021/healthz/ready && curl https://httpbin.org/status/200", ["https://httpbin.org/status/200"]),
    (
      "curl -fsS -m 2 http://localhost:15021/healthz/ready; curl -k 'https://a.example.com/x?y=1&z=2'",
      ["https://a.example.com/x?y=1&z=2"]
    ),
    (
      "/usr/bin/curl -sfo /dev/null -w '%{http_code}' https://a.example.com/ 2>&1 | grep -q 200",
      ["https://a.example.com/"]
    ),
    (
      "curl -H 'Referer: https://b.example.com/' --max-time 3 --url https://a.example.com/ >/dev/null",
      ["https://a.example.com/"]
    ),
    ("curl a.example.com/ready || exit 1", ["http://a.example.com/ready"]),
    ("wget https://a.example.com/", []),
    ("echo curl; true", []),
  ])
  func urlsOfAShellLine(line: String, urls: [String]) throws {
    let text = Self.operatorWith(
      path: "spec.template.spec.containers[0].readinessProbe",
      value: "{exec: {command: [/bin/sh, -c, \(Self.quoted(line))]}}")
    let probe = try #require(Self.probes(text).first)
    #expect(probe.curledURLs == urls)
  }

  @Test func aCommandWithoutAShellIsUnderstood() throws {
    let text = Self.operatorWith(
      path: "spec.template.spec.containers[0].readinessProbe",
      value: "{exec: {command: [curl, -f, \"https://a.example.com/\"]}}")
    #expect(try #require(Self.probes(text).first).curledURLs == ["https://a.example.com/"])
  }

  @Test func patchesOfSingleFieldsAddUp() throws {
    let base = "spec.template.spec.containers.[name:istio-proxy].readinessProbe"
    let text = Self.operatorWith([
      ("\(base).exec.command", "[sh, -c, \"curl https://a.example.com/\"]"), ("\(base).periodSeconds", "7"),
      ("\(base).httpGet", "~"), ("spec.replicas", "2"),
    ])
    let probes = Self.probes(text)
    #expect(probes.count == 1)
    let probe = try #require(probes.first)
    #expect(probe.curledURLs == ["https://a.example.com/"])
    #expect(probe.periodSeconds == 7)
    // What is not patched is as Istio's installer has it.
    #expect(probe.failureThreshold == 30 && probe.timeoutSeconds == 3)
  }

  @Test(arguments: [
    "spec.template.spec.containers[0].livenessProbe", "spec.template.metadata.annotations.myreadinessProbe",
  ])
  func otherPatchesAreLeftAlone(path: String) {
    let text = Self.operatorWith(path: path, value: "{exec: {command: [curl, \"https://a.example.com/\"]}}")
    #expect(Self.probes(text).isEmpty)
    #expect(load(text).diagnostics == [])
  }

  @Test func kubernetesSettingsAreRead() throws {
    let text = """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      spec:
        components:
          ingressGateways:
          - name: istio-ingressgateway
            enabled: true
            k8s:
              env: [{name: A, value: "1"}]
              replicaCount: 2
              podAnnotations: {a: b}
              hpaSpec: {minReplicas: 2}
              service: {type: LoadBalancer, ports: [{name: https, port: 443, targetPort: 8443}]}
      """
    let result = load(text)
    #expect(result.diagnostics == [])
    let settings = try #require(result.resources.operators.first?.spec.components.first?.kubernetes)
    #expect(settings.servicePorts.map(\.port) == [443])
    #expect(settings.servicePorts.map(\.targetPort) == [.number(8443)])
    #expect(settings.environment == ["A": "1"])
    #expect(settings.replicaCount?.value == 2)
    #expect(settings.podAnnotations == ["a": "b"])
  }

  @Test func anUpstreamProbeHasKubernetesDefaults() throws {
    let text = """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata: {name: httpbin, namespace: httpbin}
      spec:
        host: httpbin.org
        subset: http-egress-subset
        port: 443
        probe:
          httpGet: {path: /status/200, httpHeaders: [{name: X, value: y}]}
      """
    let result = load(text)
    #expect(result.diagnostics == [])
    let probe = try #require(result.resources.probes.first?.spec)
    #expect(probe.gates == [.readiness, .loadBalancing])
    #expect(probe.probe?.httpGet?.path == "/status/200")
    #expect(probe.probe?.periodSeconds == 10 && probe.probe?.timeoutSeconds == 1)
    #expect(probe.probe?.successThreshold == 1 && probe.probe?.failureThreshold == 3)
  }

  private static func quoted(_ text: String) -> String { "\"" + text.replacing("\"", with: "\\\"") + "\"" }

  private static func probes(_ text: String) -> [ReadinessProbe] {
    load(text).resources.operators.first?.spec.components.first?.readinessProbes ?? []
  }

  private static func operatorWith(path: String, value: String) -> String { operatorWith([(path, value)]) }

  private static func operatorWith(_ patches: [(path: String, value: String)]) -> String {
    let head = """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      spec:
        components:
          egressGateways:
          - name: egress
            enabled: true
            k8s:
              overlays:
              - kind: Deployment
                name: egress
                patches:

      """
    return patches.reduce(into: head) { text, patch in
      text += "          - path: \(patch.path)\n            value: \(patch.value)\n"
    }
  }
}
