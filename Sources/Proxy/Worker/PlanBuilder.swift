import Routing
import Transport

/// Makes a snapshot ready for the workers, on the control side: binds sockets, builds TLS contexts. What did not change
/// since the last snapshot is taken over.
final class PlanBuilder {
  private let options: DataPlaneOptions
  /// Sockets that the workers have, with the files of those that are in the file system.
  private var bound: [SocketAddress: UnixSocketFile?] = [:]
  private var contexts: [TLSContextCache]
  private var problems: [PublishProblem] = []

  init(options: DataPlaneOptions, readFile: @escaping (String) -> [UInt8]?) {
    self.options = options
    contexts = (0..<options.workers).map { _ in TLSContextCache(readFile: readFile) }
  }

  /// Builds one plan for each worker.
  func build(_ snapshot: Snapshot) -> (plans: [WorkerPlan], problems: [PublishProblem]) {
    problems = []
    var listeners = [[PlannedListener]](repeating: [], count: options.workers)
    var wanted: Set<SocketAddress> = []
    for index in snapshot.listeners.indices {
      guard let address = address(of: snapshot, index) else { continue }
      guard let descriptors = descriptors(for: address, snapshot.listenerFacts[index].name) else { continue }
      wanted.insert(address)
      for worker in 0..<options.workers {
        listeners[worker].append(
          PlannedListener(
            index: Int32(index), address: address, tls: contexts[worker].listenerContext(snapshot, index, report),
            descriptor: descriptors.isEmpty ? nil : descriptors[worker]))
      }
    }
    bound = bound.filter { wanted.contains($0.key) }
    let shared = snapshot.clusters.map(SharedClusterState.init)
    let plans = (0..<options.workers).map { worker in
      WorkerPlan(
        snapshot: snapshot, listeners: listeners[worker],
        clientTLS: snapshot.clusters.map { contexts[worker].clientTLS($0, worker == 0 ? report : { _ in }) },
        shared: shared)
    }
    for cache in contexts { cache.forgetUnused() }
    return (plans, problems)
  }

  /// The workers stop accepting: the files of sockets go.
  func closeListeners() {
    bound = [:]
  }

  private func report(_ problem: PublishProblem) {
    if !problems.contains(where: { $0.subject == problem.subject && $0.reason == problem.reason }) {
      problems.append(problem)
    }
  }

  private func address(of snapshot: Snapshot, _ index: Int) -> SocketAddress? {
    let facts = snapshot.listenerFacts[index]
    guard let address = SocketAddress(named: facts.bindAddress, port: snapshot.listeners[index].bindPort) else {
      report(
        PublishProblem(
          subject: "listener \(facts.name)", reason: "\"\(facts.bindAddress)\" is no address",
          isBindFailure: true))
      return nil
    }
    return address
  }

  /// New sockets for an address, one a worker; empty when the workers have them; nil when it cannot be bound.
  private func descriptors(for address: SocketAddress, _ name: String) -> [Int32]? {
    if bound[address] != nil { return [] }
    var descriptors: [Int32] = []
    do {
      try Self.checkFree(address)
      for worker in 0..<options.workers {
        descriptors.append(
          worker > 0 && address.family == .unix
            ? try ListeningSocket.duplicate(descriptors[0]) : try ListeningSocket(address: address).takeDescriptor())
      }
      bound[address] = .some(UnixSocketFile(of: address))
      return descriptors
    } catch {
      for descriptor in descriptors { SystemCalls.close(descriptor) }
      report(PublishProblem(subject: "listener \(name)", reason: "\(error)", isBindFailure: true))
      return nil
    }
  }

  /// Two instances that bind the same address with SO_REUSEPORT would share its connections without a word: a socket
  /// without that option finds out first.
  private static func checkFree(_ address: SocketAddress) throws(SystemError) {
    try ListeningSocket.checkFree(address)
  }
}
