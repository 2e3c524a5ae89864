import Routing
import Transport

/// A cluster at work on one worker: its endpoints, their connections, the balancer, and requests that wait for a name
/// to be resolved. It outlives the snapshot it came with when the next one has the same cluster unchanged.
package final class UpstreamCluster {
  package let config: Cluster
  /// The name, for the access log.
  let nameBytes: [UInt8]
  /// The host's number among the worker's `requestHosts`.
  let hostNumber: Int32
  let worker: Ref<Worker>
  let loop: EventLoop
  /// Present when the cluster originates TLS and its credentials could be loaded.
  let tls: TLSClientContext?
  /// Why TLS cannot be originated, if it should be and cannot: every request gets 503 UF with this reason.
  let tlsProblem: String?
  /// Counters of this worker.
  package var counters = ClusterCounters()

  private var owned: [UpstreamEndpoint] = []
  private var all: [Ref<UpstreamEndpoint>] = []
  private var balancer: LoadBalancer
  private var resolution: Resolution
  private var waiting: [Ref<Stream>] = []
  private var waitingConnections: [Ref<TCPDownstreamConnection>] = []
  private(set) var isRetired = false

  /// What is known of the cluster's names.
  package enum Resolution {
    /// Endpoints are IP addresses; nothing to resolve.
    case fixed
    /// The first answer is still out.
    case pending
    /// Answered; asked anew when the cluster is used after `expires` (milliseconds of the loop's clock).
    case answered(expires: Int64, isRefreshing: Bool)
    /// No answer was ever had; the reason of the last failure.
    case failed(String)
  }

  init(config: Cluster, worker: Worker, tls: WorkerPlan.ClientTLS) {
    switch tls {
    case .none:
      self.tls = nil
      tlsProblem = nil
    case .context(let context):
      self.tls = context
      tlsProblem = nil
    case .broken(let reason):
      self.tls = nil
      tlsProblem = reason
    }
    self.config = config
    nameBytes = Array(config.name.utf8)
    hostNumber = worker.requestHosts.number(of: config.host)
    self.worker = Ref(worker)
    loop = worker.loop
    balancer = LoadBalancer(policy: .init(config.settings.loadBalancing))
    resolution = config.settings.dnsNames.isEmpty ? .fixed : .pending
    replaceEndpoints(with: Self.fixedEndpoints(config))
  }

  private static func fixedEndpoints(_ config: Cluster) -> [ResolvedEndpoint] {
    config.settings.endpoints.compactMap { endpoint in
      SocketAddress(literal: endpoint.address, port: endpoint.port).map {
        ResolvedEndpoint(address: $0, weight: endpoint.weight)
      }
    }
  }

  /// A TLS session to an endpoint; nil for plaintext clusters.
  func makeSession(descriptor: Int32, peer: SocketAddress) -> TLSSession? {
    tls.map {
      TLSSession(connecting: $0, descriptor: descriptor, serverName: config.settings.tls?.serverName, peer: peer)
    }
  }

  /// Asks for the names again when the answer has expired, as a request would.
  func keepResolved() {
    refreshIfExpired()
    if case .failed = resolution { worker.with { $0.requestResolution(of: self) } }
  }

  // MARK: Choosing

  /// What `pick` found.
  enum Choice {
    case endpoint(Ref<UpstreamEndpoint>)
    /// The name is being resolved for the first time: wait with `await(_:)`.
    case unresolved
    /// There is no endpoint, or none is healthy.
    case none
  }

  /// Chooses the endpoint for one request.
  func pick(random: inout RandomSource) -> Choice {
    refreshIfExpired()
    if let endpoint = balancer.pick(random: &random) { return .endpoint(endpoint) }
    if case .pending = resolution { return .unresolved }
    if case .failed = resolution, all.isEmpty { worker.with { $0.requestResolution(of: self) } }
    return .none
  }

  /// Why there is no endpoint, when the reason is the name service.
  var resolutionFailure: String? {
    if case .failed(let reason) = resolution { return reason }
    return nil
  }

  /// Lets `stream` wait for the first answer of the name service.
  func await(_ stream: Stream) {
    waiting.append(Ref(stream))
  }

  /// Takes `stream` off the waiting list.
  func stopAwaiting(_ stream: Stream) {
    waiting.removeAll { $0.isLink(to: stream) }
  }

  /// Lets a TCP connection wait for the first answer of the name service.
  func await(_ connection: TCPDownstreamConnection) {
    waitingConnections.append(Ref(connection))
  }

  /// Takes `connection` off the waiting list.
  func stopAwaiting(_ connection: TCPDownstreamConnection) {
    waitingConnections.removeAll { $0.isLink(to: connection) }
  }

  /// Names are asked for again only while the cluster is used: an idle instance stays asleep.
  private func refreshIfExpired() {
    guard case .answered(let expires, false) = resolution, loop.now >= expires else { return }
    resolution = .answered(expires: expires, isRefreshing: true)
    worker.with { $0.requestResolution(of: self) }
  }

  // MARK: Endpoints

  /// Takes over what the name service said.
  ///
  /// - Parameter lifetimeMilliseconds: how long the answer is good for.
  func resolved(_ endpoints: [ResolvedEndpoint], lifetimeMilliseconds: Int64) {
    resolution = .answered(expires: loop.now + lifetimeMilliseconds, isRefreshing: false)
    replaceEndpoints(with: endpoints)
    resumeWaiting()
  }

  /// The name service failed. The last good answer stays in use; asked again after `retryMilliseconds`, when used.
  func resolutionFailed(_ reason: String, retryMilliseconds: Int64) {
    if case .answered = resolution {
      resolution = .answered(expires: loop.now + retryMilliseconds, isRefreshing: false)
    } else {
      resolution = .failed(reason)
    }
    counters.resolutionFailures += 1
    resumeWaiting()
  }

  private func resumeWaiting() {
    let streams = waiting
    waiting.removeAll(keepingCapacity: true)
    for stream in streams { stream.with { $0.endpointsArrived() } }
    guard !waitingConnections.isEmpty else { return }
    let connections = waitingConnections
    waitingConnections.removeAll(keepingCapacity: true)
    for connection in connections { connection.with { $0.endpointsArrived() } }
  }

  private func replaceEndpoints(with wanted: [ResolvedEndpoint]) {
    var kept: [UpstreamEndpoint] = []
    for endpoint in wanted where !kept.contains(where: { $0.address == endpoint.address }) {
      let same = owned.first { $0.address == endpoint.address && $0.weight == max(1, endpoint.weight) }
      kept.append(same ?? UpstreamEndpoint(address: endpoint.address, weight: endpoint.weight))
    }
    for endpoint in owned where !kept.contains(where: { $0 === endpoint }) { endpoint.retire() }
    owned = kept
    all = kept.map { Ref($0) }
    updateEligible()
  }

  /// Takes over the verdict of the active probe for one address.
  func setHealth(of address: SocketAddress, isHealthy: Bool) {
    for endpoint in owned where endpoint.address == address { endpoint.isHealthy = isHealthy }
    updateEligible()
  }

  private func updateEligible() {
    balancer.replace(all.filter { $0.with { $0.isHealthy } })
  }

  /// The endpoints, for the admin endpoints and for probes.
  package var endpoints: [UpstreamEndpoint] { owned }

  /// No snapshot has this cluster any more: idle connections close.
  func retire() {
    isRetired = true
    for endpoint in owned { endpoint.retire() }
  }
}
