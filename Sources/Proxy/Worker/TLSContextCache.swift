import Routing
import Transport

/// The TLS contexts of one worker: one a policy, kept over reloads as long as the policy stays the same. Each worker has its
/// own, because OpenSSL 3.0 takes locks on shared ones.
final class TLSContextCache {
  init() {}

  func listenerContext(_ snapshot: Snapshot, _ listener: Int, _ report: (PublishProblem) -> Void) -> TLSListenerContext? {
    nil
  }

  func clientTLS(_ cluster: Cluster, _ report: (PublishProblem) -> Void) -> WorkerPlan.ClientTLS {
    .none
  }

  func forgetUnused() {}
}
