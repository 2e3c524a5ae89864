import Transport

/// Gives memory back to the system when a worker has become quiet after a peak. The C library keeps what is freed between
/// blocks that live on, and a peak of connections would stay with the process for ever.
///
/// Nothing of this is on the path of a request: connections that close are counted, and an idle worker wakes up once.
final class MemoryKeeper: EventHandler {
  private let worker: Ref<Worker>
  private let loop: EventLoop
  /// Connections at a time since memory was given back.
  private var peak = 0
  private var timer = TimerID.none

  /// A peak below this is not worth the trouble: a few megabytes.
  private static let leastPeak = 128
  /// What is left of a peak when it is over: one in so many.
  private static let rest = 4
  /// How long it must have been over.
  private static let pauseMilliseconds: Int64 = 2000

  init(worker: Worker) {
    self.worker = Ref(worker)
    loop = worker.loop
    super.init()
    loop.adopt(self)
  }

  /// So many connections are there now, one more than before.
  @inline(__always)
  func opened(_ active: Int) {
    if active > peak { peak = active }
  }

  /// So many connections are there now, one less than before.
  @inline(__always)
  func closed(_ active: Int) {
    if peak >= Self.leastPeak, active * Self.rest <= peak, !timer.isArmed {
      loop.arm(&timer, after: Self.pauseMilliseconds, owner: self, tag: 1)
    }
  }

  override func timerFired(_ tag: UInt8) {
    timer = .none
    worker.with { worker in
      let active = worker.counters.activeConnections
      // There are many again: when they close, it is looked at anew.
      guard active * Self.rest <= peak else { return }
      peak = active
      worker.streams.shrink()
      loop.buffers.shrink()
      worker.services.trimMemory()
    }
  }
}
