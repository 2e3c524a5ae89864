import Routing
import Transport
import Wire

/// Where a connection goes, decided when it comes in: a reload in the middle changes nothing for it.
struct TCPWay {
  /// The filter chain, -1 on a plaintext listener.
  var chain: Int32 = -1
  var terminatesTLS = false
  /// nil: no route takes the connection, or its cluster does not exist.
  var cluster: UpstreamCluster?
}

extension Worker {
  /// Finds the way of a connection; what there is to say about it goes into `record`.
  func way(
    _ entrance: TCPDownstreamConnection.Entrance, source: SocketAddress, destination: SocketAddress,
    _ record: inout TCPAccessRecord
  ) -> TCPWay {
    var way = TCPWay()
    let list: TCPProxyRouteList
    let snapshot = generation.snapshot
    switch entrance {
    case .onListener(let listener): list = snapshot.listeners[Int(listener)].tcpRoutes
    case .onChain(let chain, let serverName):
      way.chain = chain
      way.terminatesTLS = snapshot.filterChains[Int(chain)].network == .tcp
      list = snapshot.filterChains[Int(chain)].tcpRoutes
      record.serverName = serverName
    }
    let index = snapshot.tcpRoute(in: list, source: source.ip, destination: destination.ip)
    guard index >= 0 else {
      record.flags = .noRouteFound
      record.details = "filter_chain_not_found"
      return way
    }
    let ticket = UInt32(truncatingIfNeeded: random.next())
    let picked = snapshot.destinations[Int(snapshot.pickDestination(snapshot.tcpRoutes[Int(index)], random: ticket))]
    guard picked.cluster >= 0 else {
      record.flags = .noClusterFound
      record.details = "cluster_not_found"
      return way
    }
    let cluster = generation.clusters[Int(picked.cluster)]
    record.clusterName = cluster.nameBytes
    way.cluster = cluster
    return way
  }
}
