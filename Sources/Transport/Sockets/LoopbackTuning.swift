import CLinux

/// What TCP need not do where both ends are on one machine: a port-forward, a sidecar, an instance in front of another.
enum LoopbackTuning {
  /// Takes congestion control off a socket as far as that goes. BBR, the default of many nodes, paces what it sends by timers
  /// and models a path that is not there; measured, that was 1 % of a small request and a third of a body of 1 MB.
  /// A kernel that refuses loses nothing but that.
  static func apply(to descriptor: Int32) {
    _ = shim_set_reno(descriptor)
  }
}
