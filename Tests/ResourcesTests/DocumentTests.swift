import Resources
import Testing

/// Files as they come: several documents, other line ends, JSON, lists, and what would not end.
struct DocumentTests {
  private static func gateway(_ name: String) -> String {
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata:
      name: \(name)
    spec:
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts: ["*"]

    """
  }

  @Test func emptyDocumentsAndCommentsAreNothing() {
    for text in [
      "", "\n", "# nothing\n", "---\n---\n# nothing\n---\n", "--- # nothing\n...\n", "~\n", "\u{FEFF}# nothing\n",
    ] {
      let result = load(text)
      #expect(result.diagnostics == [], "\(text)")
      #expect(result.resources.count == 0)
    }
  }

  @Test func aSyntaxErrorHidesOnlyItsDocument() {
    let text = Self.gateway("a") + "---\nkind: [\n---\n" + Self.gateway("b")
    let result = load(text)
    #expect(result.resources.gateways.map(\.metadata.name) == ["a", "b"])
    #expect(result.hasSyntaxErrors)
    #expect(
      result.diagnostics.map { finding($0, in: text) } == [
        Finding(
          11, 1, "-", "error[IST0106]",
          "invalid YAML: did not find expected node content (while parsing a flow node)",
          help: "check the indentation of this line and the one before")
      ])
  }

  @Test(arguments: ["\n", "\r\n"])
  func placesAreThoseOfTheFile(lineEnd: String) {
    let text = (Self.gateway("a") + "--- # the second\n" + Self.gateway("b") + "  selecter: {}\n")
    let result = load(text.replacing("\n", with: lineEnd))
    #expect(result.resources.gateways.map(\.metadata.name) == ["a"])
    #expect(
      result.diagnostics.map { finding($0, in: text) } == [
        Finding(18, 3, "selecter", "error[IST0106]", "unknown field \"selecter\"", help: "did you mean \"selector\"?")
      ])
    #expect(result.diagnostics.first?.resource == "Gateway default/b")
  }

  @Test func aByteOrderMarkIsNotPartOfTheFirstField() {
    let result = load("\u{FEFF}" + Self.gateway("a"))
    #expect(result.diagnostics == [])
    #expect(result.resources.gateways.first?.spec.servers.first?.port?.number?.location.line == 7)
  }

  @Test func contentMayFollowTheMarker() {
    let text = """
      --- {apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: v}}
      --- {apiVersion: v1, kind: Secret, metadata: {name: b}, stringDta: {k: v}}
      """
    let result = load(text)
    #expect(result.resources.secrets.map(\.metadata.name) == ["a"])
    #expect(
      result.diagnostics.map { finding($0, in: text) } == [
        Finding(
          2, 57, "stringDta", "error[IST0106]", "unknown field \"stringDta\"", help: "did you mean \"stringData\"?")
      ])
  }

  @Test func jsonIsYAML() {
    let text = """
      {
      \t"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
      \t"metadata": {"name": "a", "namespace": null},
      \t"spec": {"servers": [{"port": {"number": "80", "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}
      }
      """
    let result = load(text)
    #expect(result.diagnostics == [])
    #expect(result.resources.gateways.first?.reference == "default/a")
    #expect(result.resources.gateways.first?.spec.servers.first?.port?.number?.value == 80)
  }

  @Test func snakeCaseIsAccepted() {
    let text = Self.gateway("a").replacing(
      "protocol: HTTP}",
      with: "protocol: HTTPS}\n    tls: {mode: simple, credential_name: c, min_protocol_version: tlsv1_3}")
    let tls = load(text).resources.gateways.first?.spec.servers.first?.tls
    #expect(tls?.credentialName?.value == "c")
    #expect(tls?.minProtocolVersion?.value == .tls13)
  }

  @Test func anchorsAndMergesWork() {
    let text = """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: {name: a}
      spec:
        servers:
        - &first
          port: &port {number: 80, name: http, protocol: HTTP}
          hosts: ["*"]
        - <<: *first
          port: {<<: *port, number: 81, name: other}
      """
    let result = load(text)
    #expect(result.diagnostics == [])
    let ports = result.resources.gateways.first?.spec.servers.map {
      "\($0.port?.number?.value ?? 0) \($0.hosts.map(\.value))"
    }
    #expect(ports == ["80 [\"*\"]", "81 [\"*\"]"])
  }

  @Test func aliasesThatUnfoldWithoutEndAreRefused() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let result = load(text + "---\n" + Self.gateway("a"))
    #expect(result.diagnostics.map(\.message) == ["the document's aliases unfold to too many values"])
    #expect(result.resources.gateways.count == 1)
  }

  @Test(arguments: [("[", 150), ("[", 100_000), ("{a: ", 100_000)])
  func nestingIsBounded(open: String, count: Int) {
    let result = load(String(repeating: open, count: count) + "\n---\n" + Self.gateway("a"))
    #expect(result.diagnostics.count == 1)
    #expect(result.resources.gateways.count == 1)
    let closed = load("a: " + String(repeating: "[", count: 150) + String(repeating: "]", count: 150))
    #expect(closed.diagnostics.map(\.message) == ["nested deeper than 100 levels"])
  }

  @Test func whatIsNotTextIsRefusedWithItsPlace() {
    var result = LoadResult()
    ResourceLoader.load(
      text: Array("# caf".utf8) + [0xC3, 0xA9, 0x0A] + Array("kind: ".utf8) + [0xFF], file: "f", into: &result)
    #expect(result.diagnostics.map { "\($0.location!): \($0.message)" } == ["f:2:7: not UTF-8 text"])
    #expect(load("a: \"b\u{1}\"").diagnostics.first?.location?.description == "test.yaml:1:6")
  }

  @Test func kubectlsListLoads() throws {
    let result = load(kubectlListYAML)
    #expect(result.diagnostics == [])
    let resources = result.resources
    #expect(resources.virtualServices.map(\.reference) == ["bookinfo/reviews"])
    let service = try #require(resources.virtualServices.first)
    #expect(service.metadata.creationTimestamp == "2024-03-01T10:00:00Z")
    #expect(service.metadata.generation == 4)
    #expect(service.metadata.annotations.keys.contains("kubectl.kubernetes.io/last-applied-configuration"))
    let ports = try #require(resources.services.first).spec.ports
    #expect(ports.map(\.targetPort) == [.number(9080), .name("status")])
    #expect(resources.endpointSlices.first?.spec.endpoints.map(\.isReady) == [true, false])
    #expect(resources.deployments.first?.spec.containerPorts == ["status": 15021])
  }

  @Test func tenThousandRoutesLoad() {
    var text = """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: many}
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:

      """
    for number in 0..<10_000 {
      text +=
        "  - match:\n    - uri:\n        prefix: /path/\(number)\n    route:\n    - destination:\n        host: b\n"
    }
    let result = load(text)
    #expect(result.diagnostics == [])
    #expect(result.resources.virtualServices.first?.spec.http.count == 10_000)
    #expect(result.resources.virtualServices.first?.spec.http.last?.location.line == 60_002)
  }
}

/// What `kubectl get virtualservice,service,endpointslice,deployment,pod -o yaml` prints, shortened.
private let kubectlListYAML = """
  apiVersion: v1
  items:
  - apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata:
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: |
          {"apiVersion":"networking.istio.io/v1","kind":"VirtualService"}
      creationTimestamp: "2024-03-01T10:00:00Z"
      generation: 4
      managedFields:
      - apiVersion: networking.istio.io/v1
        fieldsType: FieldsV1
        fieldsV1: {"f:spec": {".": {}, "f:hosts": {}}}
        manager: kubectl
        operation: Update
        time: "2024-03-01T10:00:00Z"
      name: reviews
      namespace: bookinfo
      resourceVersion: "12345"
      uid: 0c7a2f4e-9a1c-4a53-8d44-0e6f3b4a0f1d
    spec:
      hosts:
      - reviews
      http:
      - route:
        - destination:
            host: reviews
    status:
      observedGeneration: "4"
      validationMessages: []
  - apiVersion: v1
    kind: Service
    metadata:
      creationTimestamp: null
      labels: {app: reviews}
      name: reviews
      namespace: bookinfo
    spec:
      clusterIP: 10.96.0.1
      clusterIPs: [10.96.0.1]
      internalTrafficPolicy: Cluster
      ports:
      - {name: http, port: 80, protocol: TCP, targetPort: 9080}
      - {name: status, port: 15021, protocol: TCP, targetPort: status}
      selector: {app: reviews}
      sessionAffinity: None
      type: ClusterIP
    status:
      loadBalancer: {}
  - apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    addressType: IPv4
    metadata:
      labels: {kubernetes.io/service-name: reviews}
      name: reviews-abc
      namespace: bookinfo
    endpoints:
    - addresses: [10.0.0.1]
      conditions: {ready: true, serving: true, terminating: false}
      nodeName: node-1
    - addresses: [10.0.0.2]
      conditions: {ready: false}
    ports:
    - {name: http, port: 9080, protocol: TCP}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: reviews, namespace: bookinfo}
    spec:
      replicas: 1
      template:
        metadata: {creationTimestamp: null, labels: {app: reviews}}
        spec:
          containers:
          - name: reviews
            image: reviews:1
            ports:
            - {containerPort: 15021, name: status, protocol: TCP}
            readinessProbe:
              httpGet: {path: /healthz, port: status, scheme: HTTP}
              timeoutSeconds: 1
            livenessProbe:
              grpc: {port: 9090}
    status: {replicas: 1}
  - apiVersion: v1
    kind: Pod
    metadata: {name: reviews-1, namespace: bookinfo}
    spec: {containers: []}
  kind: List
  metadata:
    resourceVersion: ""
  """
