/// Calls back once, after a while, unless it is cancelled before.
package final class Alarm: EventHandler {
  private let loop: EventLoop
  private let action: () -> Void
  private var timer = TimerID.none

  /// - Parameter milliseconds: from now; at least one tick of the loop's timers.
  package init(on loop: EventLoop, after milliseconds: Int64, _ action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
    super.init()
    loop.adopt(self)
    loop.arm(&timer, after: milliseconds, owner: self, tag: 0)
  }

  /// Nothing is called any more. Allowed also when it is over.
  package func cancel() {
    guard timer.isArmed else { return }
    loop.cancel(&timer)
    loop.release(self)
  }

  package override func timerFired(_ tag: UInt8) {
    timer = .none
    loop.release(self)
    action()
  }
}
