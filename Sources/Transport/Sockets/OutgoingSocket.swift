import CLinux

/// Opens connections to endpoints: TCP, or unix-domain sockets.
package enum OutgoingSocket {
  /// Lets the kernel probe a silent TCP connection. Times are in seconds; 0 leaves the system's setting.
  package static func keepAlive(_ descriptor: Int32, time: Int32, interval: Int32, probes: Int32) {
    _ = shim_set_int_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    let level = Int32(IPPROTO_TCP)
    // What the kernel does not take is more than it can do (TCP_KEEPIDLE: 32767 s, TCP_KEEPCNT: 127).
    if time > 0 { _ = shim_set_int_option(descriptor, level, TCP_KEEPIDLE, min(time, 32_767)) }
    if interval > 0 { _ = shim_set_int_option(descriptor, level, TCP_KEEPINTVL, min(interval, 32_767)) }
    if probes > 0 { _ = shim_set_int_option(descriptor, level, TCP_KEEPCNT, min(probes, 127)) }
  }

  /// Begins to connect, without waiting.
  ///
  /// - Parameter limit: descriptors from this number on are kept for others.
  /// - Returns: the non-blocking descriptor of a connection in progress.
  /// - Throws: `SystemError` when no socket is to be had or the kernel refuses at once.
  package static func connect(to address: SocketAddress, limit: Int32 = .max) throws(SystemError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.kernelFamily, kind, 0)
    guard descriptor >= 0 else { throw SystemError(call: "socket for \(address)") }
    guard descriptor < limit else {
      close(descriptor)
      throw SystemError(call: "socket for \(address)", code: EMFILE)
    }
    TCPOptions.set(on: descriptor, for: address)
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
