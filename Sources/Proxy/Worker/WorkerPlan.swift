import Routing
import Transport

/// A snapshot made ready for one worker on the control side: sockets are bound and TLS contexts built, so that adopting
/// it neither fails nor takes time on the worker's thread.
final class WorkerPlan {
  let snapshot: Snapshot
  let listeners: [PlannedListener]
  /// By cluster index.
  let clientTLS: [ClientTLS]
  /// By cluster index; the same for all workers.
  let shared: [SharedClusterState]

  /// How a cluster originates TLS.
  enum ClientTLS {
    /// The cluster is plaintext.
    case none
    case context(TLSClientContext)
    /// It should, and cannot: the reason.
    case broken(String)
  }

  init(
    snapshot: Snapshot, listeners: [PlannedListener], clientTLS: [ClientTLS], shared: [SharedClusterState]
  ) {
    self.shared = shared
    self.snapshot = snapshot
    self.listeners = listeners
    self.clientTLS = clientTLS
  }
}

/// A listener of the snapshot with what it needs on one worker.
final class PlannedListener {
  let index: Int32
  let address: SocketAddress
  let tls: TLSListenerContext?
  /// Present when the worker does not have this socket yet.
  private var descriptor: Int32?

  init(index: Int32, address: SocketAddress, tls: TLSListenerContext?, descriptor: Int32?) {
    self.index = index
    self.address = address
    self.tls = tls
    self.descriptor = descriptor
  }

  deinit {
    if let descriptor { SystemCalls.close(descriptor) }
  }

  /// Hands over the socket, once.
  func takeDescriptor() -> Int32? {
    defer { descriptor = nil }
    return descriptor
  }
}
