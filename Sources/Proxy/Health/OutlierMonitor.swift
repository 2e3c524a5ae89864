import Routing
import Transport

/// Ejects endpoints and takes them back, on the control side, for all workers at once.
final class OutlierMonitor {
  /// An endpoint leaves or returns.
  struct Change: Sendable {
    let cluster: String
    let address: SocketAddress
    let isEjected: Bool
  }

  private let loop: EventLoop
  private let log: @Sendable (WorkerServices.LogLevel, String, String) -> Void
  private let publish: (Change) -> Void
  private var groups: [String: Group] = [:]
  /// By cluster; kept while a cluster of the name is watched.
  private(set) var counters: [String: OutlierCounters] = [:]

  init(
    loop: EventLoop, log: @escaping @Sendable (WorkerServices.LogLevel, String, String) -> Void,
    publish: @escaping (Change) -> Void
  ) {
    self.loop = loop
    self.log = log
    self.publish = publish
  }

  /// Takes over the clusters of a new snapshot; an unchanged cluster keeps its ejections.
  func adopt(_ clusters: [Cluster]) {
    var kept: [String: Group] = [:]
    for cluster in clusters {
      guard let policy = cluster.settings.outlierDetection else { continue }
      if let group = groups[cluster.name], group.cluster.isUnchanged(from: cluster) {
        kept[cluster.name] = group
      } else {
        kept[cluster.name] = Group(cluster, policy, loop) { [weak self] in self?.returned(cluster.name, $0) }
      }
    }
    for (name, group) in groups where kept[name] !== group { group.stop() }
    groups = kept
    counters = counters.filter { kept[$0.key] != nil }
  }

  /// Counts anew.
  func resetCounters() { counters = [:] }

  /// A worker saw an endpoint reach a limit.
  func failed(cluster: String, address: SocketAddress, endpoints: Int, cause: OutlierCause) {
    guard let group = groups[cluster] else { return }
    let outcome = group.failed(address, endpoints: endpoints)
    counters[cluster, default: .init()].detected[cause, default: 0] += 1
    if outcome == .overflow { counters[cluster, default: .init()].overflows += 1 }
    guard case .ejected(let duration) = outcome else { return }
    counters[cluster, default: .init()].enforced[cause, default: 0] += 1
    log(
      .warning, "outlier",
      "\(cluster): endpoint \(address) is ejected for \(duration) ms: \(cause.text)")
    publish(Change(cluster: cluster, address: address, isEjected: true))
  }

  private func returned(_ cluster: String, _ address: SocketAddress) {
    log(.info, "outlier", "\(cluster): endpoint \(address) is back")
    publish(Change(cluster: cluster, address: address, isEjected: false))
  }

  /// One cluster, with a timer that runs only while there is something to look at.
  private final class Group: EventHandler {
    let cluster: Cluster
    private let loop: EventLoop
    private let returned: (SocketAddress) -> Void
    private var state: EjectionState
    private var timer = TimerID.none

    init(_ cluster: Cluster, _ policy: OutlierPolicy, _ loop: EventLoop, returned: @escaping (SocketAddress) -> Void) {
      self.cluster = cluster
      self.loop = loop
      self.returned = returned
      state = EjectionState(policy: policy)
      super.init()
      loop.adopt(self)
    }

    func failed(_ address: SocketAddress, endpoints: Int) -> EjectionState.Outcome {
      let outcome = state.failed(address, endpoints: endpoints, now: loop.now)
      if case .ejected = outcome, timer == .none { arm() }
      return outcome
    }

    private func arm() {
      loop.arm(&timer, after: state.policy.intervalMilliseconds, owner: self, tag: 1)
    }

    override func timerFired(_ tag: UInt8) {
      timer = .none
      for address in state.tick(now: loop.now) { returned(address) }
      if !state.isQuiet { arm() }
    }

    func stop() {
      loop.cancel(&timer)
      loop.release(self)
    }
  }
}
