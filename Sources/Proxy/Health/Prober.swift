import Routing
import Transport
import Wire

/// Probes all endpoints of one cluster, on one worker, with the cluster's own TLS: what it finds holds for traffic.
///
/// Every period each endpoint gets one connection and one question. A probe that is still out when the next is due is
/// not doubled: the next begins when it has run into its timeout, as the kubelet does it.
final class Prober: EventHandler {
  private let index: Int
  private let generation: Int
  let probe: Probe
  private let cluster: UpstreamCluster
  private let loop: EventLoop
  private let report: @Sendable (ProbeReport) -> Void
  private var outstanding: Set<SocketAddress> = []
  /// Endpoints whose next probe was due while the last was out: it follows at once.
  private var overdue: Set<SocketAddress> = []
  private var timer = TimerID.none
  private var isStopped = false

  init(
    index: Int, generation: Int, probe: Probe, cluster: UpstreamCluster,
    report: @escaping @Sendable (ProbeReport) -> Void
  ) {
    self.index = index
    self.generation = generation
    self.probe = probe
    self.cluster = cluster
    self.report = report
    loop = cluster.loop
    super.init()
    loop.adopt(self)
    // Not zero: the first answer of the name service should be there.
    let delay = max(50, Int64(probe.initialDelaySeconds) * 1000)
    loop.arm(&timer, after: delay, owner: self, tag: 1)
  }

  override func timerFired(_ tag: UInt8) {
    timer = .none
    guard !isStopped else { return }
    let period = Int64(max(1, probe.periodSeconds)) * 1000
    loop.arm(&timer, after: cluster.endpoints.isEmpty ? min(period, 250) : period, owner: self, tag: 1)
    round()
  }

  private func round() {
    cluster.keepResolved(every: Int64(max(1, probe.periodSeconds)) * 1000)
    let endpoints = cluster.endpoints
    let problem = endpoints.isEmpty ? noEndpoints() : nil
    send(.aimed(endpoints.map(\.address), problem: problem))
    for endpoint in endpoints {
      if outstanding.contains(endpoint.address) { overdue.insert(endpoint.address) } else { start(endpoint) }
    }
  }

  private func start(_ endpoint: UpstreamEndpoint) {
    outstanding.insert(endpoint.address)
    ProbeConnection.start(probe, endpoint: endpoint, cluster: cluster) { [weak self] failure in
      self?.finished(endpoint.address, failure)
    }
  }

  private func noEndpoints() -> String {
    if let failure = cluster.resolutionFailure {
      return "\(cluster.config.host): DNS resolution failed: \(failure)"
    }
    return "\(cluster.config.name) has no endpoints"
  }

  private func finished(_ address: SocketAddress, _ failure: String?) {
    outstanding.remove(address)
    guard !isStopped else { return }
    send(.result(address, failure: failure))
    guard overdue.remove(address) != nil else { return }
    if let endpoint = cluster.endpoints.first(where: { $0.address == address }) { start(endpoint) }
  }

  private func send(_ outcome: ProbeReport.Outcome) {
    report(ProbeReport(probe: index, generation: generation, outcome: outcome))
  }

  /// The snapshot was replaced.
  func stop() {
    isStopped = true
    loop.cancel(&timer)
    loop.release(self)
  }
}
