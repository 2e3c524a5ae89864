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
  }

  /// A worker saw an endpoint reach a limit.
  func failed(cluster: String, address: SocketAddress, endpoints: Int, cause: OutlierRecord.Cause) {
    guard let group = groups[cluster], let duration = group.failed(address, endpoints: endpoints) else { return }
    log(
      .warning, "outlier",
      "\(cluster): endpoint \(address) is ejected for \(duration) ms: \(cause.rawValue)")
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

    func failed(_ address: SocketAddress, endpoints: Int) -> Int64? {
      let duration = state.failed(address, endpoints: endpoints, now: loop.now)
      if duration != nil, timer == .none { arm() }
      return duration
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
