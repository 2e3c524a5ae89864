import CLinux

/// A thread of the process, with a name that `top -H` shows.
package enum SystemThread {
  /// Starts a detached thread that runs `body`.
  ///
  /// - Parameter name: at most 15 bytes are shown by the kernel.
  /// - Throws: `SystemError` when the system gives no thread.
  package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let box = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    let code = unsafe shim_start_thread(run, box.toOpaque())
    guard code == 0 else {
      unsafe box.release()
      throw SystemError(call: "pthread_create", code: code)
    }
  }

  private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
    guard let pointer = unsafe pointer else { return nil }
    let start = unsafe Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue()
    unsafe shim_set_thread_name(String(start.name.prefix(15)))
    start.body()
    return nil
  }

  private final class Start {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}

/// Carries a value that is not `Sendable` to another thread, where it then stays: a hand-over, not sharing.
package struct Transfer<Value>: @unchecked Sendable {
  package let value: Value
  package init(_ value: Value) { self.value = value }
}
