import CLinux

/// Opens connections to endpoints: TCP, or unix-domain sockets.
package enum OutgoingSocket {
  /// Begins to connect, without waiting.
  ///
  /// - Returns: the non-blocking descriptor of a connection in progress.
  /// - Throws: `SystemError` when no socket is to be had or the kernel refuses at once.
  package static func connect(to address: SocketAddress) throws(SystemError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.kernelFamily, kind, 0)
    guard descriptor >= 0 else { throw SystemError(call: "socket for \(address)") }
    if address.family != .unix { _ = shim_set_int_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
    if address.isLoopback { LoopbackTuning.apply(to: descriptor) }
    var (storage, length) = address.storage
    let result = unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe CLinux.connect(descriptor, $0, length) }
    }
    guard result == 0 || shim_errno() == EINPROGRESS else {
      let error = SystemError(call: "connect to \(address)")
      close(descriptor)
      throw error
    }
    return descriptor
  }
}
