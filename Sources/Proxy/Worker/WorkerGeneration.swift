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
  private let clusterLinks: [Ref<UpstreamCluster>]
  var isCurrent = true
  /// Called when the generation is not current any more and its last stream has ended.
  var whenFinished: ((WorkerGeneration) -> Void)?

  init(number: Int, snapshot: Snapshot, clusters: [UpstreamCluster]) {
    self.number = number
    self.snapshot = snapshot
    self.clusters = clusters
    clusterLinks = clusters.map { Ref($0) }
  }

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
