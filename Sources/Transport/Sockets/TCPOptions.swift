import CLinux

/// Options of TCP sockets.
enum TCPOptions {
  /// Sets what each socket has that listens on `address` or connects to it; accepted sockets inherit it.
  static func set(on descriptor: Int32, for address: SocketAddress) {
    guard address.family != .unix else { return }
    _ = shim_set_int_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    if address.isLoopback { tuneForLoopback(descriptor) }
  }

  /// Takes congestion control off a socket as far as that goes, where both ends are on one machine: a port-forward, a
  /// sidecar, an instance in front of another. BBR, the default of many nodes, paces what it sends by timers and models a
  /// path that is not there; measured, that was 1 % of a small request and a third of a body of 1 MB. A kernel that
  /// refuses loses nothing but that.
  static func tuneForLoopback(_ descriptor: Int32) {
    _ = shim_set_reno(descriptor)
  }
}
