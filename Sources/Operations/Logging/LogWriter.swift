import CLinux
import Synchronization
import Transport

/// Writes the access log on a thread of its own. Workers leave whole lines in a bounded buffer; when the reader of the
/// log is slower than the traffic, lines are lost and counted, never waited for.
package final class LogWriter: @unchecked Sendable {
  private let buffer: Mutex<[UInt8]>
  private let wake: Int32
  private let path: String?
  // Only touched by the writer's thread and, before it starts, by `init`.
  private var descriptor: Int32
  private let wantsReopen = Atomic<Bool>(false)
  private let isWriting = Atomic<Bool>(false)

  /// Bytes that may wait.
  private static let capacity = 1 << 20

  /// - Parameter path: the file, nil or `/dev/stdout` for standard output.
  /// - Throws: `SystemError` when the file cannot be opened or the thread not started.
  package init(path: String?) throws(SystemError) {
    self.path = path == "/dev/stdout" ? nil : path
    var empty: [UInt8] = []
    empty.reserveCapacity(Self.capacity)
    buffer = Mutex(empty)
    wake = eventfd(0, Int32(EFD_CLOEXEC))
    descriptor = try Self.open(self.path)
    try SystemThread.start(name: "log-writer") { [self] in run() }
  }

  private static func open(_ path: String?) throws(SystemError) -> Int32 {
    guard let path else { return 1 }
    let descriptor = unsafe shim_open_append(path)
    guard descriptor >= 0 else { throw SystemError(call: "open \(path)") }
    return descriptor
  }

  /// Leaves lines to be written; false when there is no room and they are lost.
  package func write(_ lines: [UInt8]) -> Bool {
    let wasEmpty = buffer.withLock { waiting -> Bool? in
      guard waiting.count + lines.count <= Self.capacity else { return nil }
      let wasEmpty = waiting.isEmpty
      waiting += lines
      return wasEmpty
    }
    guard let wasEmpty else { return false }
    if wasEmpty { signal() }
    return true
  }

  /// Opens the file anew, after a log rotation.
  package func reopen() {
    wantsReopen.store(true, ordering: .relaxed)
    signal()
  }

  private func signal() {
    var one: UInt64 = 1
    _ = unsafe CLinux.write(wake, &one, 8)
  }

  private func run() {
    var taken: [UInt8] = []
    taken.reserveCapacity(Self.capacity)
    while true {
      var value: UInt64 = 0
      _ = unsafe read(wake, &value, 8)
      if wantsReopen.exchange(false, ordering: .relaxed), path != nil, let fresh = try? Self.open(path) {
        close(descriptor)
        descriptor = fresh
      }
      isWriting.store(true, ordering: .releasing)
      buffer.withLock { swap(&$0, &taken) }
      writeAll(taken)
      taken.removeAll(keepingCapacity: true)
      isWriting.store(false, ordering: .releasing)
    }
  }

  private func writeAll(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes[written...].withUnsafeBytes { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        written += count
      } else if shim_errno() == EAGAIN {
        // Standard output may be a non-blocking pipe that somebody else opened so.
        usleep(2000)
      } else if shim_errno() != EINTR {
        return
      }
    }
  }

  /// Waits, at most about a second, until everything that waits is written; at the end of the process.
  package func flush() {
    for _ in 0..<500 {
      let isEmpty = buffer.withLock { $0.isEmpty }
      if isEmpty, !isWriting.load(ordering: .acquiring) { return }
      usleep(2000)
    }
  }
}
