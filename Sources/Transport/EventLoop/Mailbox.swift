import CLinux
import Synchronization

/// Tasks that other threads leave for a loop.
final class Mailbox: Sendable {
  typealias Task = @Sendable (EventLoop) -> Void
  private let tasks = Mutex<[Task]>([])

  /// Leaves a task; true when the mailbox was empty, so the loop has to be woken.
  func put(_ task: @escaping Task) -> Bool {
    tasks.withLock {
      $0.append(task)
      return $0.count == 1
    }
  }

  /// Empties the mailbox, oldest first.
  func takeAll() -> [Task] {
    tasks.withLock {
      let all = $0
      $0 = []
      return all
    }
  }
}

/// Reaches a loop from other threads. The loop must outlive it, as loops of workers and of the control thread do: they
/// run until the process ends.
package struct EventLoopHandle: Sendable {
  let mailbox: Mailbox
  let wakeDescriptor: Int32

  /// Runs `task` on the loop's thread, soon; tasks of one caller keep their order.
  package func post(_ task: @escaping @Sendable (EventLoop) -> Void) {
    if mailbox.put(task) { Self.wake(wakeDescriptor) }
  }

  static func wake(_ descriptor: Int32) {
    var one: UInt64 = 1
    _ = unsafe write(descriptor, &one, 8)
  }
}
