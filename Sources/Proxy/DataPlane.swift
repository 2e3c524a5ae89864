import Routing
import Synchronization
import Transport

/// The data plane as the control side sees it: start workers, publish snapshots, ask for figures, drain. All calls are
/// made on the control loop's thread.
package final class DataPlane {
  private let options: DataPlaneOptions
  private let control: EventLoop
  private let services: WorkerServices
  private let budget: ConnectionBudget
  private let crew = Crew()
  private var handles: [EventLoopHandle] = []
  private var workers: [Transfer<Worker>] = []
  private let builder: PlanBuilder
  private var directory: EndpointDirectory?
  private var health: HealthMonitor?
  private var outliers: OutlierMonitor?
  private var drained: Set<Int> = []
  private var whenDrained: (() -> Void)?

  /// - Throws: `SystemError` when the resolver or a worker's loop cannot be made.
  package init(
    options: DataPlaneOptions, control: EventLoop,
    log: @escaping @Sendable (WorkerServices.LogLevel, String, String) -> Void,
    writeAccessLog: @escaping @Sendable ([UInt8]) -> Bool, readFile: @escaping (String) -> [UInt8]?
  ) throws {
    self.options = options
    self.control = control
    budget = ConnectionBudget(limit: options.limits.maxConnections, workers: options.workers)
    builder = PlanBuilder(options: options, readFile: readFile)
    let back = BackLink()
    let handle = control.handle
    services = WorkerServices(
      log: log,
      resolve: { cluster in handle.post { _ in back.plane?.directory?.refresh(cluster) } },
      workerDrained: { worker in handle.post { _ in back.plane?.workerDrained(worker) } },
      endpointFailed: { cluster, address, endpoints, cause in
        handle.post { _ in
          back.plane?.outliers?.failed(cluster: cluster, address: address, endpoints: endpoints, cause: cause)
        }
      },
      handOver: { [crew] worker, descriptor, peer, address in
        crew.post(to: worker) { $0.takeOver(descriptor, from: peer, at: address) }
      },
      trimMemory: { handle.post { _ in SystemCalls.trimMemory() } },
      writeAccessLog: writeAccessLog)
    back.plane = self
    let resolver = Resolver(loop: control, servers: options.dnsServers)
    directory = EndpointDirectory(resolver: resolver, overrides: options.resolveOverrides) { [weak self] in
      self?.publishEndpoints(cluster: $0, update: $1)
    }
    health = HealthMonitor(log: log)
    outliers = OutlierMonitor(loop: control, log: log) { [weak self] in self?.publishEjection($0) }
    try startWorkers()
  }

  /// Lets the workers' callbacks find the plane; only touched on the control thread.
  private final class BackLink: @unchecked Sendable {
    weak var plane: DataPlane?
  }

  private func startWorkers() throws {
    for index in 0..<options.workers {
      let loop = try EventLoop()
      let worker = Worker(
        index: index, loop: loop, limits: options.limits, logFormat: options.accessLog, budget: budget,
        services: services)
      handles.append(loop.handle)
      let transfer = Transfer(worker)
      workers.append(transfer)
    }
    // Complete before the first worker runs: from then on they read it.
    crew.fill(zip(handles, workers).map { ($0, $1) })
    for (index, transfer) in workers.enumerated() {
      try SystemThread.start(name: "worker-\(index)") { transfer.value.loop.run() }
    }
  }

  /// The workers, as they see one another. Written once, before any of them runs.
  private final class Crew: @unchecked Sendable {
    private var members: [(handle: EventLoopHandle, worker: Transfer<Worker>)] = []

    func fill(_ members: [(handle: EventLoopHandle, worker: Transfer<Worker>)]) {
      self.members = members
    }

    func post(to index: Int, _ body: @escaping @Sendable (Worker) -> Void) {
      let worker = members[index].worker
      members[index].handle.post { _ in body(worker.value) }
    }
  }

  /// Runs `body` on every worker's thread.
  private func onWorkers(_ body: @escaping @Sendable (Worker) -> Void) {
    for (handle, worker) in zip(handles, workers) {
      handle.post { _ in body(worker.value) }
    }
  }

  // MARK: Snapshots

  /// Makes the workers serve `snapshot`.
  ///
  /// - Returns: what could not be done: sockets that could not be bound, credentials that could not be loaded. What is
  ///   concerned is left out or refuses; everything else serves.
  package func publish(_ snapshot: Snapshot) -> [PublishProblem] {
    let (plans, problems) = builder.build(snapshot)
    for (index, plan) in plans.enumerated() {
      let transfer = Transfer(plan)
      let worker = workers[index]
      handles[index].post { _ in worker.value.adopt(transfer.value) }
    }
    directory?.adopt(snapshot.clusters)
    outliers?.adopt(snapshot.clusters)
    if let health { startProbes(snapshot, health) }
    return problems
  }

  private func startProbes(_ snapshot: Snapshot, _ health: HealthMonitor) {
    let before = health.unhealthy
    health.adopt(snapshot)
    // Clusters that changed know nothing yet; those that did not must forget the verdicts of probes that are gone.
    let now = health.unhealthy
    for change in before.subtracting(now) {
      publishHealth(
        HealthChange(cluster: change.cluster, address: change.address, isHealthy: true, gatesLoadBalancing: true))
    }
    for change in now { publishHealth(change) }
    guard let worker = workers.first, let handle = handles.first else { return }
    let controlHandle = control.handle
    let monitor = Transfer(health)
    let number = health.generation
    let plane = Transfer(Weak(self))
    let report: @Sendable (ProbeReport) -> Void = { report in
      controlHandle.post { _ in
        guard let change = monitor.value.take(report) else { return }
        plane.value.object?.publishHealth(change)
      }
    }
    handle.post { _ in worker.value.probe(snapshot.probes, generation: number, report: report) }
  }

  private func publishEndpoints(cluster: String, update: EndpointDirectory.Update) {
    if case .failed(let reason, _, true) = update {
      services.log(.warning, "upstream", "\(cluster): name resolution failed: \(reason)")
    }
    onWorkers { $0.update(cluster: cluster, update) }
  }

  private func publishHealth(_ change: HealthChange) {
    guard change.gatesLoadBalancing else { return }
    onWorkers { $0.setHealth(change) }
  }

  private func publishEjection(_ change: OutlierMonitor.Change) {
    onWorkers { $0.setEjected(change) }
  }

  // MARK: Readiness

  /// What the probes say now.
  package var probeStates: [ProbeState] { health?.states ?? [] }

  // MARK: Figures

  /// What outlier detection did, by cluster.
  package var outlierCounters: [String: OutlierCounters] { outliers?.counters ?? [:] }

  /// What probes found, by cluster.
  package var healthCheckCounters: [String: HealthCheckCounters] { health?.counters ?? [:] }

  /// Asks every worker for its figures; `completion` runs on the control thread with all of them.
  package func collect(_ completion: @escaping ([WorkerReport]) -> Void) {
    let gathering = Transfer(Gathering(expected: workers.count, completion: completion))
    let handle = control.handle
    onWorkers { worker in
      let report = worker.report()
      handle.post { _ in gathering.value.add(report) }
    }
  }

  private final class Gathering {
    private var reports: [WorkerReport] = []
    private let expected: Int
    private let completion: ([WorkerReport]) -> Void

    init(expected: Int, completion: @escaping ([WorkerReport]) -> Void) {
      self.expected = expected
      self.completion = completion
    }

    func add(_ report: WorkerReport) {
      reports.append(report)
      if reports.count == expected { completion(reports.sorted { $0.worker < $1.worker }) }
    }
  }

  /// Sets all counters to zero.
  package func resetCounters() {
    onWorkers { $0.resetCounters() }
    outliers?.resetCounters()
    health?.resetCounters()
  }

  // MARK: Explaining

  /// Requests that carry `token` in `x-sallyport-explain` are explained in the process log, for so many seconds;
  /// `completion` runs on the control thread when every worker knows it.
  package func explain(token: [UInt8], seconds: Int, _ completion: @escaping () -> Void) {
    let expires = control.nowNanoseconds + Int64(seconds) * 1_000_000_000
    onWorkers { $0.explainTokens.add(.init(bytes: token, expiresNanoseconds: expires)) }
    // Workers take their tasks in order.
    collect { _ in completion() }
  }

  // MARK: Draining

  /// Lets requests in flight finish; `completion` runs when no client connection is left.
  package func drain(_ completion: @escaping () -> Void) {
    whenDrained = completion
    onWorkers { $0.drain() }
  }

  /// Closes what is left of the clients' connections; `completion` runs when that is done and logged.
  package func cutOff(_ completion: @escaping () -> Void) {
    drained = []
    whenDrained = completion
    onWorkers { $0.cutOff() }
  }

  /// Stops accepting connections.
  package func closeListeners() {
    builder.closeListeners()
    onWorkers { $0.closeListeners() }
  }

  private func workerDrained(_ worker: Int) {
    drained.insert(worker)
    guard drained.count == workers.count, let completion = whenDrained else { return }
    whenDrained = nil
    completion()
  }
}

/// A weak reference that can be handed over.
private final class Weak<Object: AnyObject> {
  weak var object: Object?
  init(_ object: Object) { self.object = object }
}
