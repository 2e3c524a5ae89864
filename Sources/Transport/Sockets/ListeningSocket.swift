import CLinux

/// A socket that listens; one per worker and address (SO_REUSEPORT), so the kernel spreads connections. Unix-domain sockets
/// cannot be bound twice: workers share one, each through a descriptor of its own.
package struct ListeningSocket: ~Copyable {
  package let descriptor: Int32
  /// The address that was bound; the port is the real one even when 0 was asked for.
  package let address: SocketAddress

  /// Binds and listens.
  ///
  /// - Parameters:
  ///   - isShared: other sockets of this process may listen on the same address.
  ///   - backlog: connections that the kernel completes before they are accepted.
  /// - Throws: `SystemError` whose call names the address: `bind 0.0.0.0:443: Permission denied`.
  package init(address: SocketAddress, isShared: Bool = true, backlog: Int32 = 4096) throws(SystemError) {
    let descriptor = try Self.bound(to: address, isShared: isShared)
    // The listener's own options are inherited by every accepted connection: system calls less for each.
    TCPOptions.set(on: descriptor, for: address)
    guard listen(descriptor, backlog) == 0 else {
      let error = SystemError(call: "listen on \(address)")
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.address = SocketAddress.local(of: descriptor) ?? address
  }

  /// Finds out whether another process has `address`. Binds without listening: a socket that listens, however shortly,
  /// would get connections, and take them along when it goes.
  ///
  /// - Throws: `SystemError` when the address cannot be had.
  package static func checkFree(_ address: SocketAddress) throws(SystemError) {
    // Binding makes a file, so this happens by the way.
    guard address.family != .unix else { return try UnixSocketFile.makeWay(for: address) }
    close(try bound(to: address, isShared: false))
  }

  private static func bound(to address: SocketAddress, isShared: Bool) throws(SystemError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.kernelFamily, kind, 0)
    guard descriptor >= 0 else { throw SystemError(call: "socket for \(address)") }
    if address.family != .unix {
      _ = shim_set_int_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
      if isShared { _ = shim_set_int_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    }
    if address.family == .v6 { _ = shim_set_int_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    var (storage, length) = address.storage
    let bound = unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
    }
    guard bound == 0 else {
      let error = SystemError(call: "bind \(address)")
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Another descriptor of a socket that listens.
  ///
  /// - Throws: `SystemError` when there are no more descriptors.
  package static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
    let copy = shim_duplicate(descriptor)
    guard copy >= 0 else { throw SystemError(call: "dup") }
    return copy
  }

  /// Takes over a descriptor that listens on `address` already.
  package init(descriptor: Int32, address: SocketAddress) {
    self.descriptor = descriptor
    self.address = address
  }

  deinit { close(descriptor) }

  /// Gives up ownership, to hand the socket to another thread.
  package consuming func takeDescriptor() -> Int32 {
    let taken = descriptor
    discard self
    return taken
  }

  /// Takes one waiting connection.
  package borrowing func accept() -> Accepted {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let accepted = unsafe shim_accept4(descriptor, &storage, &length)
    if accepted >= 0 {
      let peer = SocketAddress(storage, length: length) ?? SocketAddress(v4: 0, port: 0)
      if peer.isLoopback, !address.isLoopback { TCPOptions.tuneForLoopback(accepted) }
      return .connection(accepted, peer)
    }
    switch shim_errno() {
    case EAGAIN: return .none
    case EMFILE, ENFILE, ENOMEM, ENOBUFS: return .exhausted(shim_errno())
    default: return .aborted  // ECONNABORTED and network errors of the new connection: try the next one
    }
  }

  /// What `accept()` found.
  package enum Accepted {
    case connection(Int32, SocketAddress)
    /// Nobody waits.
    case none
    /// The waiting connection died; there may be others.
    case aborted
    /// Out of descriptors or memory; the connection still waits.
    case exhausted(Int32)
  }
}

extension SocketAddress {
  /// The local address of a socket.
  package static func local(of descriptor: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
    }
    return result == 0 ? SocketAddress(storage, length: length) : nil
  }
}
