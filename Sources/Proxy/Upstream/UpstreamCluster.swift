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
  /// What all workers share of the cluster.
  let shared: SharedClusterState?
  /// Connections, waiting requests, requests or retries are limited.
  let hasLimits: Bool
  /// Endpoints that fail are ejected.
  let watchesOutcomes: Bool
  private let hashPolicy: HashPolicy?
  /// Left out by outlier detection.
  private var ejected: Set<SocketAddress> = []
  /// Counters of this worker.
  package var counters = ClusterCounters()

  private var owned: [UpstreamEndpoint] = []
  private var all: [Ref<UpstreamEndpoint>] = []
  private var balancer: LoadBalancer
  private var resolution: Resolution
  private var waiting: [Ref<Stream>] = []
  /// The localities of endpoints, by number.
  private var localities: [String] = []
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

  init(config: Cluster, worker: Worker, tls: WorkerPlan.ClientTLS, shared: SharedClusterState? = nil) {
    self.shared = shared
    hasLimits = shared?.breaker != nil
    watchesOutcomes = shared?.outliers != nil
    hashPolicy = config.settings.hashPolicy
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
    balancer = LoadBalancer(policy: .init(config.settings.loadBalancing), hash: config.settings.hashPolicy?.table)
    resolution = config.settings.dnsNames.isEmpty ? .fixed : .pending
    replaceEndpoints(with: Self.fixedEndpoints(config))
  }

  private static func fixedEndpoints(_ config: Cluster) -> [ResolvedEndpoint] {
    config.settings.endpoints.compactMap { endpoint in
      SocketAddress(named: endpoint.address, port: endpoint.port).map {
        ResolvedEndpoint(address: $0, weight: endpoint.weight, locality: endpoint.locality)
      }
    }
  }

  /// Begins to connect to an endpoint.
  func openSocket(to address: SocketAddress) throws(SystemError) -> Int32 {
    let descriptor = try OutgoingSocket.connect(to: address)
    if let policy = config.settings.tcpKeepAlive, address.family != .unix {
      OutgoingSocket.keepAlive(
        descriptor, time: policy.timeSeconds, interval: policy.intervalSeconds, probes: policy.probes)
    }
    return descriptor
  }

  /// A TLS session to an endpoint; nil for plaintext clusters.
  func makeSession(descriptor: Int32, peer: SocketAddress, offersHTTP2: Bool = false) -> TLSSession? {
    tls.map {
      TLSSession(
        connecting: $0, descriptor: descriptor, serverName: config.settings.tls?.serverName, peer: peer,
        offersHTTP2: offersHTTP2)
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

  /// Chooses the endpoint for a request.
  func pick(for stream: Stream) -> Choice {
    refreshIfExpired()
    // A request without what is hashed is balanced at random, as in Envoy.
    if let hashPolicy, let hash = stream.balancingHash(hashPolicy), let endpoint = balancer.pick(hash: hash) {
      return .endpoint(endpoint)
    }
    if let endpoint = worker.with({ balancer.pick(random: &$0.random) }) { return .endpoint(endpoint) }
    return noEndpoint()
  }

  /// Chooses the endpoint for a connection from `client`. Of what may be hashed, a connection has its address alone.
  func pick(forConnectionFrom client: SocketAddress) -> Choice {
    refreshIfExpired()
    if case .sourceIP? = hashPolicy?.key, let endpoint = balancer.pick(hash: client.hostHash) {
      return .endpoint(endpoint)
    }
    if let endpoint = worker.with({ balancer.pick(random: &$0.random) }) { return .endpoint(endpoint) }
    return noEndpoint()
  }

  /// Chooses an endpoint for another attempt: one that was not tried, while there is one.
  func pickUntried(for stream: Stream) -> Choice {
    guard case .endpoint(let first) = pick(for: stream) else { return noEndpoint() }
    if hashPolicy != nil || isUntried(first, stream) { return .endpoint(first) }
    // Balanced like any other request, for as long as Envoy tries; then whichever is left.
    for _ in 1..<Self.selectionAttempts {
      guard let next = worker.with({ balancer.pick(random: &$0.random) }) else { break }
      if isUntried(next, stream) { return .endpoint(next) }
    }
    return .endpoint(balancer.endpoints.first { isUntried($0, stream) } ?? first)
  }

  /// Envoy's `host_selection_retry_max_attempts`, as Istio sets it.
  private static let selectionAttempts = 5

  private func isUntried(_ endpoint: Ref<UpstreamEndpoint>, _ stream: Stream) -> Bool {
    let policy = stream.retryPolicy
    return endpoint.with { endpoint in
      !stream.tried.contains {
        (policy.ignoresPreviousHosts && $0.address == endpoint.address)
          || (policy.prefersRemoteLocalities && $0.locality == endpoint.locality)
      }
    }
  }

  private func noEndpoint() -> Choice {
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
    // Beside names a cluster may have addresses.
    replaceEndpoints(with: Self.fixedEndpoints(config) + endpoints)
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
      let locality = number(ofLocality: endpoint.locality)
      let same = owned.first {
        $0.address == endpoint.address && $0.weight == max(1, endpoint.weight) && $0.locality == locality
      }
      kept.append(
        same
          ?? UpstreamEndpoint(
            address: endpoint.address, weight: endpoint.weight, locality: locality,
            outliers: shared?.outliers?.record(of: endpoint.address)))
    }
    for endpoint in owned where !kept.contains(where: { $0 === endpoint }) { endpoint.retire() }
    owned = kept
    all = kept.map { Ref($0) }
    updateEligible()
  }

  /// The number of the locality of an endpoint.
  func locality(of address: SocketAddress) -> Int32 {
    owned.first { $0.address == address }?.locality ?? 0
  }

  private func number(ofLocality name: String) -> Int32 {
    if let known = localities.firstIndex(of: name) { return Int32(known) }
    localities.append(name)
    return Int32(localities.count - 1)
  }

  /// Takes over the verdict of the active probe for one address.
  func setHealth(of address: SocketAddress, isHealthy: Bool) {
    for endpoint in owned where endpoint.address == address { endpoint.isHealthy = isHealthy }
    updateEligible()
  }

  /// Leaves an endpoint out, or takes it back.
  func setEjected(_ address: SocketAddress, _ isEjected: Bool) {
    if isEjected { ejected.insert(address) } else { ejected.remove(address) }
    updateEligible()
  }

  private func updateEligible() {
    for endpoint in owned { endpoint.isEjected = ejected.contains(endpoint.address) }
    let eligible = all.filter { $0.with { $0.isHealthy && !$0.isEjected } }
    // With too few of them the verdicts are more likely wrong than right (Envoy's panic).
    let isPanic = eligible.count * 100 < config.settings.minHealthPercent * all.count
    balancer.replace(isPanic ? all : eligible)
  }

  /// The endpoints, for the admin endpoints and for probes.
  package var endpoints: [UpstreamEndpoint] { owned }

  /// No snapshot has this cluster any more: idle connections close.
  func retire() {
    isRetired = true
    for endpoint in owned { endpoint.retire() }
  }
}
