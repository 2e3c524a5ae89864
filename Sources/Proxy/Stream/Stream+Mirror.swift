import Routing
import Transport
import Wire

/// Copies of requests, whose answers nobody sees.
///
/// A copy is a stream of its own without a client. It begins in a later turn of the loop than the original, never waits for
/// it and is never waited for; it has no retries, is not logged, and is not counted as a request of the listener. With a
/// body it begins when the original's has left completely, from the copy that was kept of it: a request whose body is
/// longer than `keptBodyLimit`, or that is answered before its body has left, is not copied.
extension Stream {
  /// How long a copy may take when the route says nothing.
  private static let mirrorTimeoutMilliseconds: Int32 = 60_000

  /// Decides which mirrors get a copy of this request.
  func planMirrors(_ snapshot: Snapshot) {
    guard !request.wantsUpgrade, let mirrors = snapshot.extras(of: route)?.mirrors else { return }
    for mirror in mirrors where happens(mirror.share) { plannedMirrors.append(mirror.cluster) }
    guard !plannedMirrors.isEmpty else { return }
    keepsBody = true
    if requestEnded { beginMirrors() }
  }

  /// The request has arrived completely: makes its copies.
  func beginMirrors() {
    let clusters = plannedMirrors
    plannedMirrors.removeAll(keepingCapacity: true)
    guard isRepeatable else { return }
    for cluster in clusters {
      guard worker.with({ $0.mirrors.begin(keptBody.count) }) else { return }
      worker.with { $0.streams.take() }.with { $0.becomeMirror(of: self, to: cluster) }
    }
  }

  private func becomeMirror(of original: Stream, to index: Int32) {
    guard let generation = original.generation else { return }
    mirrorCluster = index
    self.generation = generation
    generation.with { $0.activeStreams += 1 }
    source = original.source
    request.copy(from: original.request)
    route = .none
    route.timeoutMilliseconds =
      original.route.timeoutMilliseconds > 0 ? original.route.timeoutMilliseconds : Self.mirrorTimeoutMilliseconds
    requestEnded = true
    keepsBody = true
    keptBody = original.keptBody
    rewindBody()
    startNanoseconds = loop.nowNanoseconds
    state = .delayed
    loop.arm(&backOffTimer, after: 0, owner: self, tag: Timer.mirror)
  }

  /// Sends the copy.
  func sendMirror() {
    guard let generation, state == .delayed else { return }
    let cluster = generation.with { $0.cluster(mirrorCluster) }
    state = .routing
    adopt(cluster)
    guard cluster.with({ $0.tlsProblem == nil }) else { return finish() }
    armRouteTimer()
    attempt()
  }

  /// The copy has been answered, or given up.
  func mirrorEnded() {
    worker.with { $0.mirrors.end(keptBody.count) }
  }
}

/// The copies that one worker has under way. Bounded: a mirror that does not answer costs copies, not memory.
struct MirrorBudget {
  private(set) var count = 0
  private(set) var bytes = 0

  static let countLimit = 1000
  static let byteLimit = 64 << 20

  /// Whether one more copy with so many body bytes may begin; counts it if so.
  mutating func begin(_ size: Int) -> Bool {
    guard count < Self.countLimit, bytes + size <= Self.byteLimit else { return false }
    count += 1
    bytes += size
    return true
  }

  mutating func end(_ size: Int) {
    count -= 1
    bytes -= size
  }
}
