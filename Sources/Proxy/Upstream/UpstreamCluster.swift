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
  /// Left out by active probes.
  private var unhealthy: Set<SocketAddress> = []
  /// Counters of this worker.
  package var counters = ClusterCounters()

  private var owned: [UpstreamEndpoint] = []
  private var all: [Ref<UpstreamEndpoint>] = []
  /// Earlier addresses of a `LOGICAL_DNS` cluster, whose connections are still good.
  private var former: [UpstreamEndpoint] = []
  /// What everybody goes to, while all is one group.
  private var balancer: LoadBalancer
  private var levels: EndpointLevels
  /// `balancer` alone decides.
  private var isPlain = true
  private var isWarming = false
  /// When weights are worked out anew, in milliseconds of the loop's clock.
  private var nextWarmth: Int64 = 0
  /// When the endpoints of the cluster before this one came, as far as they are warm or warming.
  private var known: [SocketAddress: Int64?] = [:]
  var resolution: Resolution
  /// The answer is so old that requests wait for the next one.
  var awaitsAnswer = false
  var patience: Alarm?
  var waiting: [Ref<Stream>] = []
  /// The localities of endpoints, by number.
  private var localities: [String] = []
  var waitingConnections: [Ref<TCPDownstreamConnection>] = []
  private(set) var isRetired = false

  /// - Parameter previous: the cluster of this name that is replaced; its endpoints are not new.
  init(
    config: Cluster, worker: Worker, tls: WorkerPlan.ClientTLS, shared: SharedClusterState? = nil,
    previous: UpstreamCluster? = nil
  ) {
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
    balancer = LoadBalancer(
      policy: .init(config.settings.loadBalancing), hash: config.settings.hashPolicy?.table,
      warmup: config.settings.warmup)
    levels = EndpointLevels(
      balancer, panicThreshold: config.settings.minHealthPercent,
      zones: config.settings.zoneAware.map { ZoneShares(own: 0, minClusterSize: $0.minClusterSize) })
    // The number of the own locality is 0 wherever it matters.
    localities = [config.settings.zoneAware?.locality ?? ""]
    resolution = config.settings.dnsNames.isEmpty ? .fixed : .pending
    if config.settings.warmup != nil, let previous {
      known = Dictionary(previous.owned.map { ($0.address, $0.warmsSince) }, uniquingKeysWith: { first, _ in first })
    }
    replaceEndpoints(with: Self.fixedEndpoints(config))
  }

  static func fixedEndpoints(_ config: Cluster) -> [ResolvedEndpoint] {
    config.settings.endpoints.compactMap { endpoint in
      SocketAddress(named: endpoint.address, port: endpoint.port).map {
        var resolved = ResolvedEndpoint(address: $0, weight: endpoint.weight, locality: endpoint.locality)
        resolved.priority = endpoint.priority
        resolved.localityWeight = endpoint.localityWeight
        return resolved
      }
    }
  }

  /// Begins to connect to an endpoint.
  func openSocket(to address: SocketAddress) throws(SystemError) -> Int32 {
    let limit = worker.with { $0.limits.descriptors.upstreams }
    let descriptor = try OutgoingSocket.connect(to: address, limit: limit)
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

  // MARK: Choosing

  /// What `pick` found.
  enum Choice {
    case endpoint(Ref<UpstreamEndpoint>)
    /// The name is being resolved, for the first time or after a long pause: wait with `await(_:)`.
    case unresolved
    /// There is no endpoint, or none is healthy.
    case none
  }

  /// Chooses the endpoint for a request.
  func pick(for stream: Stream) -> Choice {
    refreshIfExpired()
    if awaitsAnswer { return .unresolved }
    // A request without what is hashed is balanced at random, as in Envoy.
    if let hashPolicy, let hash = stream.balancingHash(hashPolicy), let endpoint = choose(hash: hash) {
      return .endpoint(endpoint)
    }
    guard let endpoint = choose() else { return noEndpoint() }
    return .endpoint(isPlain ? endpoint : kept(for: stream, beside: endpoint))
  }

  /// A connection that was made to an earlier address is used before a new one is made to the current.
  private func kept(for stream: Stream, beside endpoint: Ref<UpstreamEndpoint>) -> Ref<UpstreamEndpoint> {
    // A tunnel takes no connection that was made for another request.
    guard !former.isEmpty, !stream.request.isConnect else { return endpoint }
    let isHTTP2 = stream.usesHTTP2Upstream
    if endpoint.with({ $0.hasRoom(for: stream, isHTTP2: isHTTP2) }) { return endpoint }
    return former.first { $0.hasRoom(for: stream, isHTTP2: isHTTP2) }.map { Ref($0) } ?? endpoint
  }

  /// Chooses the endpoint for a connection from `client`. Of what may be hashed, a connection has its address alone.
  func pick(forConnectionFrom client: SocketAddress) -> Choice {
    refreshIfExpired()
    if awaitsAnswer { return .unresolved }
    if case .sourceIP? = hashPolicy?.key, let endpoint = choose(hash: client.hostHash) {
      return .endpoint(endpoint)
    }
    if let endpoint = choose() { return .endpoint(endpoint) }
    return noEndpoint()
  }

  @inline(__always)
  private func choose(excluding excluded: UInt64 = 0) -> Ref<UpstreamEndpoint>? {
    if isPlain { return worker.with { balancer.pick(random: &$0.random) } }
    return chooseByLevel(excluding: excluded)
  }

  private func chooseByLevel(excluding excluded: UInt64) -> Ref<UpstreamEndpoint>? {
    if isWarming { warm() }
    return worker.with { levels.pick(random: &$0.random, excluding: excluded) }
  }

  private func choose(hash: UInt64) -> Ref<UpstreamEndpoint>? {
    isPlain ? balancer.pick(hash: hash) : levels.pick(hash: hash)
  }

  /// Chooses an endpoint for another attempt: one that was not tried, while there is one.
  func pickUntried(for stream: Stream) -> Choice {
    let policy = stream.retryPolicy
    if hashPolicy != nil { return pick(for: stream) }
    refreshIfExpired()
    let excluded = policy.prefersRemoteLocalities ? Self.triedPriorities(stream) : 0
    guard let first = choose(excluding: excluded) else { return noEndpoint() }
    guard policy.ignoresPreviousHosts, !isUntried(first, stream) else { return .endpoint(first) }
    // Balanced like any other request, for as long as Envoy tries; then whichever is left.
    for _ in 1..<Self.selectionAttempts {
      guard let next = choose(excluding: excluded) else { break }
      if isUntried(next, stream) { return .endpoint(next) }
    }
    let left =
      isPlain ? balancer.endpoints.first { isUntried($0, stream) } : levels.first { isUntried($0, stream) }
    return .endpoint(left ?? first)
  }

  /// Envoy's `host_selection_retry_max_attempts`, as Istio sets it.
  private static let selectionAttempts = 5

  /// A bit for each priority that attempts failed at, looked at after every second one: Envoy's `previous_priorities`
  /// with the `update_frequency` that Istio sets.
  private static func triedPriorities(_ stream: Stream) -> UInt64 {
    var mask: UInt64 = 0
    let tried = stream.tried
    for index in 0..<(tried.count - tried.count % 2) { mask |= 1 << UInt64(min(63, tried[index].priority)) }
    return mask
  }

  private func isUntried(_ endpoint: Ref<UpstreamEndpoint>, _ stream: Stream) -> Bool {
    endpoint.with { endpoint in !stream.tried.contains { $0.address == endpoint.address } }
  }

  private func noEndpoint() -> Choice {
    if case .pending = resolution { return .unresolved }
    if all.isEmpty { retryResolution() }
    return .none
  }

  // MARK: Endpoints

  func replaceEndpoints(with wanted: [ResolvedEndpoint]) {
    var kept: [UpstreamEndpoint] = []
    for endpoint in wanted where !kept.contains(where: { $0.address == endpoint.address }) {
      let locality = number(ofLocality: endpoint.locality)
      let same = (owned + former).first {
        $0.address == endpoint.address && $0.weight == max(1, endpoint.weight) && $0.locality == locality
          && $0.priority == endpoint.priority
      }
      kept.append(same ?? make(endpoint, locality))
    }
    let left = (owned + former).filter { endpoint in !kept.contains { $0 === endpoint } }
    former = config.settings.discovery == .logicalDNS ? left.filter { $0.connectionCount > 0 } : []
    for endpoint in left where !former.contains(where: { $0 === endpoint }) { endpoint.retire() }
    owned = kept
    all = kept.map { Ref($0) }
    if !wanted.isEmpty { known = [:] }
    updateEligible()
  }

  private func make(_ resolved: ResolvedEndpoint, _ locality: Int32) -> UpstreamEndpoint {
    let endpoint = UpstreamEndpoint(
      address: resolved.address, weight: resolved.weight, locality: locality, priority: resolved.priority,
      localityWeight: resolved.localityWeight, outliers: shared?.outliers?.record(of: resolved.address))
    endpoint.isHealthy = !unhealthy.contains(endpoint.address)
    if config.settings.warmup != nil { endpoint.warmsSince = known[endpoint.address] ?? loop.now }
    return endpoint
  }

  /// The priority of an endpoint.
  func priority(of address: SocketAddress) -> Int32 {
    owned.first { $0.address == address }?.priority ?? 0
  }

  /// `region/zone/subzone` of an endpoint, empty when it is not known.
  package func locality(of endpoint: UpstreamEndpoint) -> String { localities[Int(endpoint.locality)] }

  private func number(ofLocality name: String) -> Int32 {
    if let known = localities.firstIndex(of: name) { return Int32(known) }
    localities.append(name)
    return Int32(localities.count - 1)
  }

  /// Takes over the verdict of the active probe for one address.
  func setHealth(of address: SocketAddress, isHealthy: Bool) {
    guard unhealthy.contains(address) == isHealthy else { return }
    if isHealthy { unhealthy.remove(address) } else { unhealthy.insert(address) }
    for endpoint in owned where endpoint.address == address {
      endpoint.isHealthy = isHealthy
      if isHealthy { returned(endpoint) }
    }
    updateEligible()
  }

  /// Leaves an endpoint out, or takes it back.
  func setEjected(_ address: SocketAddress, _ isEjected: Bool) {
    if isEjected { ejected.insert(address) } else { ejected.remove(address) }
    for endpoint in owned where endpoint.address == address && !isEjected { returned(endpoint) }
    updateEligible()
  }

  private func returned(_ endpoint: UpstreamEndpoint) {
    if config.settings.warmup != nil { endpoint.warmsSince = loop.now }
  }

  private func updateEligible() {
    for endpoint in owned { endpoint.isEjected = ejected.contains(endpoint.address) }
    levels.replace(all)
    isWarming = levels.warm(now: loop.now)
    let only = isWarming || !former.isEmpty ? nil : levels.only
    isPlain = only != nil
    if let only { balancer = only }
  }

  /// Works out the weights of endpoints that warm up, now and then.
  private func warm() {
    guard loop.now >= nextWarmth, let policy = config.settings.warmup else { return }
    nextWarmth = loop.now + policy.stepMilliseconds
    guard !levels.warm(now: loop.now) else { return }
    for endpoint in owned { endpoint.warmsSince = nil }
    updateEligible()
  }

  /// The endpoints, for the admin endpoints and for probes.
  package var endpoints: [UpstreamEndpoint] { owned }

  /// No snapshot has this cluster any more: idle connections close.
  func retire() {
    isRetired = true
    // Nobody asks for the name any more.
    if awaitsAnswer { stopWaiting() }
    for endpoint in owned + former { endpoint.retire() }
  }
}
