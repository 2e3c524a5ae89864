/// How one instance treats one request: every step from the socket to the upstream, or to where it ends.
package struct Explanation: Sendable {
  /// The socket.
  package struct ListenerStep: Sendable {
    package let index: Int32
    /// `0.0.0.0_443`
    package let name: String
    package let declaredPort: Int
    package let bindPort: Int
    /// `istio-system/my-ingressgateway:443/https`
    package let servers: [String]
  }

  /// What the TLS server name led to.
  package struct ChainStep: Sendable {
    package let serverNames: [String]
    /// `istio-system/my-ingressgateway:443/https`
    package let server: String
    /// `SIMPLE`
    package let tlsMode: String
    package let certificates: [CertificateStep]
  }

  /// A certificate that is served.
  package struct CertificateStep: Sendable {
    /// `kubernetes://httpbin-credential`
    package let name: String
    /// Where it comes from: `Secret istio-system/httpbin-credential`.
    package let source: String
    /// nil: it cannot be read.
    package let summary: CertificateSummary?
  }

  /// What the host led to.
  package struct VirtualHostStep: Sendable {
    /// `httpbin.example.com:443`
    package let name: String
    package let domain: String
    /// `httpbin/httpbin-egress`
    package let virtualServices: [String]
  }

  /// One of the places that a rule sends requests to.
  package struct DestinationStep: Sendable {
    /// nil: the rule names a cluster that does not exist.
    package let cluster: Cluster?
    package let weight: Int
    package let totalWeight: Int
    /// What the upstream receives, after rewrites and header operations; where bytes are carried, what they begin
    /// with.
    package let sent: SampleRequest?
    /// Bytes go on without being looked at.
    package var carriesBytes = false
    /// The next instance, when the destination is its Service.
    package var next: [Explanation] = []
  }

  /// What is done with the request.
  package enum Answer: Sendable {
    case forward([DestinationStep])
    case redirect(status: Int, location: String)
    case directResponse(status: Int, bodyBytes: Int)
    /// An injected fault or an answered preflight: what the rule says besides comes first.
    case earlyResponse(status: Int, by: String)
  }

  /// The kind of rules that say where bytes go.
  package enum Carriage: String, Sendable {
    case tcp, tls
  }

  /// `httpbin-egress.httpbin`
  package let instance: String
  package let request: SampleRequest
  package var listener: ListenerStep?
  /// The rules that were asked when the connection does not lead to HTTP.
  package var carries: Carriage?
  package var chain: ChainStep?
  /// `https.443.https.my-ingressgateway.istio-system`
  package var routeConfiguration: String?
  package var virtualHost: VirtualHostStep?
  /// The rules that were looked at, in order; the last one matches, unless there is an error.
  package var rules: [RuleVerdict] = []
  /// Timeout, retries, rewrite and whatever else the rule says.
  package var settings: [Setting] = []
  package var answer: Answer?
  package var error: ExplainError?
  /// What cannot be known from files alone.
  package var notes: [String] = []
  /// What was decided, by index, for comparison with the data plane.
  package var match = RouteMatch.none

  init(instance: String, request: SampleRequest) {
    self.instance = instance
    self.request = request
  }

  /// The first thing that is wrong, here or in an instance further on.
  package var firstError: ExplainError? {
    if let error { return error }
    guard case .forward(let destinations)? = answer else { return nil }
    return destinations.lazy.flatMap(\.next).compactMap(\.firstError).first
  }
}
