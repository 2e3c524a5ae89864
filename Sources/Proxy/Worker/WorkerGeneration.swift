import Routing
import Transport

/// A snapshot at work on one worker. Requests that began on it finish on it, also when the worker has adopted the next
/// one: the generation lives until its last stream has ended. The count is a plain number because it never leaves the
/// thread.
final class WorkerGeneration {
  /// Counts up with every adopted snapshot.
  let number: Int
  let snapshot: Snapshot
  var activeStreams = 0
  let clusters: [UpstreamCluster]
  /// By route: the number in the worker's `routeStatistics`, -1 for none; empty when no route has a `statPrefix`.
  private let statisticsNumbers: [Int32]
  private let clusterLinks: [Ref<UpstreamCluster>]
  var isCurrent = true
  /// Called when the generation is not current any more and its last stream has ended.
  var whenFinished: ((WorkerGeneration) -> Void)?

  init(number: Int, snapshot: Snapshot, clusters: [UpstreamCluster], statistics: inout RouteStatistics) {
    statisticsNumbers = Self.numbers(snapshot, &statistics)
    self.number = number
    self.snapshot = snapshot
    self.clusters = clusters
    clusterLinks = clusters.map { Ref($0) }
  }

  private static func numbers(_ snapshot: Snapshot, _ statistics: inout RouteStatistics) -> [Int32] {
    guard snapshot.routeExtras.contains(where: { $0.statPrefix != nil }) else { return [] }
    var numbers = [Int32](repeating: -1, count: snapshot.routes.count)
    for (host, facts) in zip(snapshot.virtualHosts, snapshot.virtualHostFacts) {
      for rule in host.firstRule..<host.firstRule + host.ruleCount {
        let route = Int(snapshot.rules[Int(rule)].route)
        guard let prefix = snapshot.extras(of: snapshot.routes[route])?.statPrefix else { continue }
        numbers[route] = statistics.number(of: .init(virtualHost: facts.name, prefix: prefix))
      }
    }
    return numbers
  }

  /// The number under which a route's requests are counted, -1 for none.
  func statisticsNumber(_ route: Int32) -> Int32 { statisticsNumbers[Int(route)] }

  /// The cluster of a destination.
  func cluster(_ index: Int32) -> Ref<UpstreamCluster> { clusterLinks[Int(index)] }

  /// One of its streams has ended.
  func streamEnded() {
    activeStreams -= 1
    if activeStreams == 0, !isCurrent { whenFinished?(self) }
  }

  /// Finds the listener, filter chain and route configuration for a connection.
  func locate(acceptor: Acceptor, tls: TLSSession?, into source: inout StreamSource) {
    source.listener = acceptor.listenerIndex
    guard acceptor.listenerIndex >= 0 else {
      source.chain = -1
      source.routeConfiguration = -1
      return
    }
    let listener = snapshot.listeners[Int(acceptor.listenerIndex)]
    if let tls {
      source.chain = tls.withServerName { snapshot.chain(ofListener: acceptor.listenerIndex, serverName: $0) }
      source.routeConfiguration =
        source.chain >= 0 ? snapshot.filterChains[Int(source.chain)].routeConfiguration : -1
    } else {
      source.chain = -1
      source.routeConfiguration = listener.routeConfiguration
    }
  }
}
