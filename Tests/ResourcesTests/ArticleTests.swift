import Resources
import Testing

/// The main scenario: the article's resources say what they are meant to say.
struct ArticleTests {
  private let result = load(articleYAML)
  private var resources: ResourceSet { result.resources }

  @Test func loadsWithoutAWord() {
    #expect(result.diagnostics == [])
    #expect(result.broken.isEmpty)
    #expect(resources.count == 8)
  }

  @Test func theIngressTerminatesTLSAndRedirects() throws {
    let gateway = try #require(resources.gateways.first)
    #expect(gateway.reference == "istio-system/my-ingressgateway")
    #expect(gateway.spec.selector.mapValues(\.value) == ["istio": "ingressgateway"])
    let servers = gateway.spec.servers
    #expect(servers.map { $0.port?.number?.value } == [80, 443])
    #expect(servers[0].tls?.httpsRedirect?.value == true)
    #expect(servers[0].tls?.effectiveMode == .passthrough)
    // `protocol: https`, in lower case.
    #expect(servers[1].port?.protocolKind == .https)
    #expect(servers[1].tls?.effectiveMode == .simple)
    #expect(servers[1].tls?.credentialName?.value == "httpbin-credential")
  }

  @Test func theRoutesKeepTheirOrderAndPlaces() throws {
    let service = try #require(resources.virtualServices.first)
    #expect(service.spec.gateways.map(\.value) == ["mesh", "istio-system/my-ingressgateway", "httpbin/httpbin-egress"])
    #expect(service.spec.http.count == 2)
    let destination = try #require(service.spec.http[1].route.first?.destination)
    #expect(destination.host?.value == "httpbin.org")
    #expect(destination.subset?.value == "http-egress-subset")
    #expect(destination.port?.value == 443)
    let place = try #require(destination.subset?.location)
    let lines = articleYAML.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[place.line - 1].dropFirst(place.column - 1).prefix(place.length) == "\"http-egress-subset\"")
  }

  @Test func thePolicyOfThePortOriginatesTLS() throws {
    let rule = try #require(resources.destinationRules.first)
    let policy = try #require(rule.spec.subsets.first?.trafficPolicy)
    #expect(policy.loadBalancer?.simple?.value == .roundRobin)
    #expect(policy.tls == nil)
    #expect(policy.portLevelSettings.map { $0.port?.value } == [443])
    #expect(policy.portLevelSettings.first?.policy.tls?.effectiveMode == .simple)
    #expect(resources.serviceEntries.first?.spec.effectiveResolution == .dns)
    #expect(resources.peerAuthentications.first?.spec.mode?.value == .strict)
  }

  @Test func theOperatorDeclaresTheEgressInstance() throws {
    #expect(resources.operators.count == 2)
    let mesh = try #require(resources.operators[0].spec.meshConfig)
    #expect(mesh.accessLogFile?.value == "/dev/stdout")
    #expect(mesh.outboundTrafficPolicy?.value == .registryOnly)
    let egress = resources.operators[1].spec
    #expect(egress.tag?.value == "1.8.0")
    #expect(egress.namespace?.value == "httpbin")
    let component = try #require(egress.components.first)
    #expect(component.isEgress && component.enabled)
    #expect(component.labels["custom-egress"] == "httpbin-egress")
    let probe = try #require(component.readinessProbes.first)
    #expect(probe.curl.requests.map(\.url) == ["https://httpbin.org/status/200"])
    #expect(probe.periodSeconds == 2 && probe.failureThreshold == 30 && probe.initialDelaySeconds == 1)
  }

  @Test func bookinfoLoadsWithoutAWord() throws {
    let result = load(bookinfoYAML)
    #expect(result.diagnostics == [])
    let service = try #require(result.resources.virtualServices.first)
    #expect(service.reference == "default/bookinfo")
    let matches = service.spec.http[0].match.map { match -> String in
      switch match.uri?.kind {
      case .exact(let text): "exact \(text.value)"
      case .prefix(let text): "prefix \(text.value)"
      default: "?"
      }
    }
    #expect(
      matches == ["exact /productpage", "prefix /static", "exact /login", "exact /logout", "prefix /api/v1/products"])
  }
}

/// Istio's sample gateway.
private let bookinfoYAML = """
  apiVersion: networking.istio.io/v1alpha3
  kind: Gateway
  metadata:
    name: bookinfo-gateway
  spec:
    selector:
      istio: ingressgateway # use istio default controller
    servers:
    - port:
        number: 80
        name: http
        protocol: HTTP
      hosts:
      - "*"
  ---
  apiVersion: networking.istio.io/v1alpha3
  kind: VirtualService
  metadata:
    name: bookinfo
  spec:
    hosts:
    - "*"
    gateways:
    - bookinfo-gateway
    http:
    - match:
      - uri:
          exact: /productpage
      - uri:
          prefix: /static
      - uri:
          exact: /login
      - uri:
          exact: /logout
      - uri:
          prefix: /api/v1/products
      route:
      - destination:
          host: productpage
          port:
            number: 9080
  """
