import CLinux

/// How many descriptors the process may have, and for what the last of them are kept.
///
/// The kernel gives the lowest free number to every new descriptor: a number says how many are in use at least, so nobody
/// has to count. Who gets a number at or above its limit gives it back.
package struct DescriptorLimits: Sendable, Equatable {
  /// Descriptors of the process, `RLIMIT_NOFILE`.
  package let total: Int32
  /// The last ones, for the instance's own ports, probes, name service and files: an eighth, from 16 to 512.
  package let ownReserve: Int32
  /// Those before them, for connections to upstreams: a quarter of the rest.
  package let upstreamReserve: Int32

  package init(total: Int32) {
    self.total = total
    ownReserve = min(max(total / 8, min(16, total / 4)), 512)
    upstreamReserve = (total - ownReserve) / 4
  }

  /// Numbers from here on are not for connections of clients.
  package var clients: Int32 { total - ownReserve - upstreamReserve }
  /// Numbers from here on are not for connections to upstreams.
  package var upstreams: Int32 { total - ownReserve }
  /// Connections that each of the instance's own ports may have; together half of their reserve.
  package var connectionsOfOwnPort: Int { max(2, Int(ownReserve) / 8) }

  /// What was set for the process, raised as far as it is allowed to raise it. Shells and service managers give 1024 for
  /// the sake of programs that use `select`, and allow more.
  package static func raised() -> DescriptorLimits {
    let total = shim_raise_descriptor_limit()
    return DescriptorLimits(total: Int32(clamping: total))
  }
}
