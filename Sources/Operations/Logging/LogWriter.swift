import CLinux
import Synchronization
import Transport

/// Writes a log on a thread of its own. Others leave whole lines in a bounded buffer; when the reader of the log is slower
/// than they are, or has gone, lines are lost and counted, never waited for.
package final class LogWriter: @unchecked Sendable {
  private let buffer: Mutex<[UInt8]>
  private let wake: Int32
  private let path: String?
  // Only touched by the writer's thread and, before it starts, by `init`.
  private var descriptor: Int32
  private let wantsReopen = Atomic<Bool>(false)
  private let isWriting = Atomic<Bool>(false)
  private let lost = Atomic<Int>(0)
  /// Bytes that may wait.
  private let capacity: Int

  /// - Parameter path: the file, nil or `/dev/stdout` for standard output.
  /// - Throws: `SystemError` when the file cannot be opened or the thread not started.
  package convenience init(path: String?) throws(SystemError) {
    let file = path == "/dev/stdout" ? nil : path
    try self.init(path: file, descriptor: Self.open(file), capacity: 1 << 20)
  }

  /// Writes to a descriptor that is open, and stays so.
  ///
  /// - Parameter capacity: bytes that may wait.
  /// - Throws: `SystemError` when the thread cannot be started.
  package convenience init(descriptor: Int32, capacity: Int) throws(SystemError) {
    try self.init(path: nil, descriptor: descriptor, capacity: capacity)
  }

  private init(path: String?, descriptor: Int32, capacity: Int) throws(SystemError) {
    self.path = path
    self.descriptor = descriptor
    self.capacity = capacity
    var empty: [UInt8] = []
    empty.reserveCapacity(capacity)
    buffer = Mutex(empty)
    wake = eventfd(0, Int32(EFD_CLOEXEC))
    try SystemThread.start(name: "log-writer") { [self] in run() }
  }

  /// Lines that could not be written: the reader has gone, or the disk is full. Those for which there was no room are
  /// not among them: `write` says so.
  package var lostLines: Int { lost.load(ordering: .relaxed) }

  /// Counts lost lines anew.
  package func resetLostLines() { lost.store(0, ordering: .relaxed) }

  private static func open(_ path: String?) throws(SystemError) -> Int32 {
    guard let path else { return 1 }
    let descriptor = unsafe shim_open_append(path)
    guard descriptor >= 0 else { throw SystemError(call: "open \(path)") }
    return descriptor
  }

  /// Leaves lines to be written; false when there is no room and they are lost.
  package func write(_ lines: [UInt8]) -> Bool {
    let wasEmpty = buffer.withLock { waiting -> Bool? in
      guard waiting.count + lines.count <= capacity else { return nil }
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
    taken.reserveCapacity(capacity)
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
        // A pipe without a reader, a full disk. The line that was begun is lost, too.
        lost.add(bytes[written...].count { $0 == 0x0A }, ordering: .relaxed)
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
