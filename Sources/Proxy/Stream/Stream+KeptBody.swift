import Routing
import Transport
import Wire

/// A copy of the request body, for routes that may send the request once more.
///
/// Kept only while it fits `keptBodyLimit`: a longer body flows as usual and cannot be sent again.
extension Stream {
  /// As much as Envoy buffers for the same purpose.
  static let keptBodyLimit = 1 << 20
  /// More than this is not held on to for the next request.
  private static let keptCapacity = 64 * 1024

  /// Whether the request can be sent (again) from its beginning.
  var isRepeatable: Bool { requestBodyBytes == 0 || keepsBody }

  /// Body bytes from the client, which stay behind while earlier ones are being sent again.
  func requestBodyKept(_ span: RawSpan) -> Int {
    guard !isReplaying else { return 0 }
    let taken = forwardRequestBody(span)
    if keptBody.count + taken > Self.keptBodyLimit {
      forgetBody()
    } else {
      let octets = span.extracting(first: taken).octets
      keptBody.reserveCapacity(keptBody.count + taken)
      for index in 0..<octets.count { keptBody.append(octets[index]) }
    }
    return taken
  }

  /// The next attempt begins with the body's first byte.
  func rewindBody() {
    requestBodyBytes = 0
    replayedBytes = 0
    isReplaying = keepsBody && !keptBody.isEmpty
  }

  /// Sends as much of the kept body as the upstream takes; the client goes on after its last byte.
  func replayBody() {
    let body = keptBody
    let rest = body.span.raw.extracting(droppingFirst: replayedBytes)
    replayedBytes += forwardRequestBody(rest)
    guard replayedBytes == body.count else { return }
    isReplaying = false
    if requestEnded { endRequestUpstream() } else { upstreamDrained() }
  }

  /// The body cannot be sent again any more.
  func forgetBody() {
    keepsBody = false
    if keptBody.capacity > Self.keptCapacity { keptBody = [] } else { keptBody.removeAll(keepingCapacity: true) }
  }
}
