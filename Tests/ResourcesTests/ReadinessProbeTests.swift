import Resources
import Testing

/// Readiness probes that run curl, as people put them on their gateways.
struct ReadinessProbeTests {
  @Test(arguments: [
    (
      "curl https://#:15021/healthz/ready && curl https://httpbin.org/status/200", ["https://httpbin.org/status/200"],
      []
    ),
    (
      "curl -fsS -m 2 http://localhost:15021/healthz/ready; curl -k 'https://a.example.com/x?y=1&z=2'",
      ["https://a.example.com/x?y=1&z=2"], ["-k of \"curl -k https://a.example.com/x?y=1&z=2\""]
    ),
    (
      "/usr/bin/curl -sfo /dev/null -w '%{http_code}' https://a.example.com/ 2>&1 | grep -q 200",
      ["https://a.example.com/"], ["\"grep -q 200\""]
    ),
    (
      "curl -H 'Referer: https://b.example.com/' --max-time 3 --url https://a.example.com/ >/dev/null",
      ["https://a.example.com/"], []
    ),
    ("curl a.example.com/ready || exit 1", ["http://a.example.com/ready"], []),
    ("set -e; if ! curl -sfm2 http://a.test/; then exit 1; fi", ["http://a.test/"], []),
    ("wget https://a.example.com/", [], ["\"wget https://a.example.com/\""]),
    ("wget -qO- http://localhost:15021/healthz/ready && pilot-agent wait", [], ["\"pilot-agent wait\""]),
    ("cat /tmp/ready && curl http://a.test/", ["http://a.test/"], ["\"cat /tmp/ready\""]),
    ("curl -d x=1 -L http://a.test/", ["http://a.test/"], ["-d, -L of \"curl -d x=1 -L http://a.test/\""]),
    ("curl --frobnicate http://a.test/", ["http://a.test/"], ["--frobnicate of \"curl --frobnicate http://a.test/\""]),
    ("curl --version", [], ["--version of \"curl --version\"", "\"curl --version\""]),
    ("curl 'http://a.test/a b'", [], ["the URL of \"curl http://a.test/a b\""]),
    ("echo curl; true", [], []),
  ])
  func whatAShellLineAsksForAndWhatElseItDoes(line: String, urls: [String], ignored: [String]) throws {
    let text = Self.operatorWith(
      path: "spec.template.spec.containers[0].readinessProbe",
      value: "{exec: {command: [/bin/sh, -c, \(Self.quoted(line))]}}")
    let reading = try #require(Self.probes(text).first).curl
    #expect(reading.requests.map(\.url) == urls)
    #expect(reading.ignored == ignored)
  }

  @Test(arguments: [
    ("curl -X POST http://a.test/", "POST", []), ("curl -XPUT http://a.test/", "PUT", []),
    ("curl -sI http://a.test/", "HEAD", []), ("curl -I -X OPTIONS http://a.test/", "OPTIONS", []),
    ("curl -X 'G T' http://a.test/", nil, []), ("curl http://a.test/", nil, []),
    ("curl -H 'X-A: b c' -A me http://a.test/", nil, ["X-A=b c", "user-agent=me"]),
    ("curl -H 'Host: b.test' http://a.test/", nil, ["Host=b.test"]), ("curl -H 'a b: c' http://a.test/", nil, []),
  ])
  func methodAndFieldsOfCurl(line: String, method: String?, fields: [String]) throws {
    let request = try #require(CurlCommand.read(["sh", "-c", line]).requests.first)
    #expect(request.method == method)
    #expect(request.fields.map { "\($0.name)=\($0.value)" } == fields)
  }

  @Test func aCommandWithoutAShellIsUnderstood() throws {
    let text = Self.operatorWith(
      path: "spec.template.spec.containers[0].readinessProbe",
      value: "{exec: {command: [curl, -f, \"https://a.example.com/\"]}}")
    #expect(try #require(Self.probes(text).first).curl.requests.map(\.url) == ["https://a.example.com/"])
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
    #expect(probe.curl.requests.map(\.url) == ["https://a.example.com/"])
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

  @Test(arguments: [
    ("spec.template.spec.containers[0].readinessProbe.exec.command[2]", "Deployment", true),
    ("spec.template.spec.containers[0].readinessProbe.httpGet.port", "Deployment", false),
    ("spec.template.spec.containers[0].image", "Deployment", false), ("spec.ports", "Service", true),
    ("spec.type", "Service", false),
  ])
  func patchesThatAreNotUnderstoodAreSaid(path: String, kind: String, isSaid: Bool) {
    let text = Self.operatorWith(path: path, value: "x").replacing("kind: Deployment", with: "kind: \(kind)")
    let found = load(text).diagnostics
    #expect(found.map(\.code) == (isSaid ? ["SP1001"] : []))
    #expect(found.allSatisfy { $0.location?.line == 13 && $0.message.contains("is not acted on") })
  }

  @Test(arguments: ["spec.template.spec.containers[0]", "spec.template.spec.containers.[name:istio-proxy]"])
  func aPatchOfAContainerMayBringAProbe(path: String) throws {
    let text = Self.operatorWith(
      path: path, value: "{image: x, readinessProbe: {exec: {command: [curl, \"https://a.example.com/\"]}}}")
    #expect(try #require(Self.probes(text).first).curl.requests.map(\.url) == ["https://a.example.com/"])
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
