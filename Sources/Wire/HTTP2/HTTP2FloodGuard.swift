/// Counts what costs us more than it costs the peer, and says when it is enough. Envoy's rules and defaults
/// (`Http2ProtocolOptions`), where it has them; nghttp2 itself bounds unsent acknowledgements, settings entries and
/// CONTINUATION frames.
struct HTTP2FloodGuard {
  /// Why the connection must end; nil while the peer behaves.
  private(set) var reason: String?
  private var emptyFrames = 0
  private var windowUpdates = 0
  private var controlFrames = 0
  private var usefulFrames = 0
  private var heads = 0
  private var resets = 0

  /// Envoy allows one frame without payload at a time; a few more do no harm.
  private static let emptyFrameLimit = 8
  /// Envoy: 100 priority frames a stream; here for everything that asks for nothing (PRIORITY, SETTINGS, PING).
  private static let controlFramesPerUsefulFrame = 100
  /// Envoy: 10 a sent DATA frame, beyond a start.
  private static let windowUpdatesPerUsefulFrame = 1000
  /// Streams that were opened and cancelled, beyond half of all (rapid reset, CVE-2023-44487).
  private static let resetLimit = 200

  private var periodStart: Int64 = 0

  /// Frames that ask for nothing are counted against useful ones of the same while: a connection that is kept alive
  /// with a PING now and then may last for ever.
  private static let periodMilliseconds: Int64 = 60_000

  /// It is `now` (milliseconds).
  mutating func advance(to now: Int64) {
    guard now - periodStart >= Self.periodMilliseconds else { return }
    periodStart = now
    controlFrames = 0
    windowUpdates = 0
    usefulFrames = 0
  }

  /// We sent a part of a body: the peer says that it wants more.
  mutating func dataSent() { usefulFrames += 1 }

  /// A frame that asks for something.
  mutating func usefulFrame() {
    usefulFrames += 1
    emptyFrames = 0
  }

  mutating func data(length: Int, endsStream: Bool) {
    if length > 0 || endsStream { return usefulFrame() }
    emptyFrames += 1
    if emptyFrames > Self.emptyFrameLimit { reason = "too many frames without payload" }
  }

  mutating func control() {
    controlFrames += 1
    if controlFrames > Self.controlFramesPerUsefulFrame * (usefulFrames + 10) { reason = "too many control frames" }
  }

  mutating func windowUpdate() {
    windowUpdates += 1
    if windowUpdates > Self.windowUpdatesPerUsefulFrame * (usefulFrames + 10) {
      reason = "too many WINDOW_UPDATE frames"
    }
  }

  /// A stream was opened, or got its trailers.
  mutating func head() { heads += 1 }

  mutating func reset() {
    resets += 1
    if resets > Self.resetLimit, resets * 2 > heads { reason = "too many streams were cancelled" }
  }
}
