import CLinux

/// An IPv4 or IPv6 address with a port, or that of a unix-domain socket. Trivial, so that endpoints and peers can be stored
/// and compared for nothing.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The address family.
  package enum Family: UInt8, Sendable { case v4, v6, unix }

  package let family: Family
  /// In host byte order, 0 when not set.
  package var port: UInt16
  // The 16 address bytes in network order, as two big-endian words; IPv4 uses the last four bytes, a unix-domain socket the
  // number of its path.
  private let high: UInt64
  private let low: UInt64

  /// From four octets, most significant first.
  package init(v4 address: UInt32, port: UInt16) {
    family = .v4
    self.port = port
    high = 0
    low = UInt64(address)
  }

  /// The four octets of an IPv4 address, most significant first.
  var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

  /// The 128 bits of the address, most significant half first; IPv4 uses the low 32.
  package var words: (high: UInt64, low: UInt64) { (high, low) }

  /// From the two halves of an IPv6 address, most significant first.
  package init(v6High high: UInt64, low: UInt64, port: UInt16) {
    family = .v6
    self.port = port
    self.high = high
    self.low = low
  }

  /// From the number that `UnixSocketPaths` knows the path by; 0: a socket without a name.
  init(unixNumber number: UInt64) {
    family = .unix
    port = 0
    high = 0
    low = number
  }

  /// The number of a unix-domain socket's path.
  var unixNumber: UInt64 { low }

  /// Parses an IP literal, IPv6 with or without brackets; nil for anything else (host names are the resolver's
  /// business).
  package init?(literal: String, port: UInt16) {
    var text = literal
    if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
    var v4 = in_addr()
    if unsafe inet_pton(AF_INET, text, &v4) == 1 {
      self.init(v4: UInt32(bigEndian: v4.s_addr), port: port)
      return
    }
    var v6 = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    self.init(v6: v6, port: port)
  }

  private init(v6 address: in6_addr, port: UInt16) {
    let words = unsafe withUnsafeBytes(of: address) { bytes in
      unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(v6High: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1), port: port)
  }

  /// From what the kernel filled in, `length` bytes of it; nil for other families.
  package init?(_ storage: sockaddr_storage, length: socklen_t = socklen_t(MemoryLayout<sockaddr_storage>.size)) {
    var storage = storage
    switch Int32(storage.ss_family) {
    case AF_INET:
      let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.loadUnaligned(as: sockaddr_in.self) }
      self.init(v4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
    case AF_INET6:
      let address = unsafe withUnsafeBytes(of: &storage) { unsafe $0.loadUnaligned(as: sockaddr_in6.self) }
      self.init(v6: address.sin6_addr, port: UInt16(bigEndian: address.sin6_port))
    case AF_UNIX:
      self.init(unix: storage, length: Int(length))
    default:
      return nil
    }
  }

  /// The address as the kernel wants it, with its length in bytes.
  package var storage: (address: sockaddr_storage, length: socklen_t) {
    var storage = sockaddr_storage()
    switch family {
    case .v4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
      return (storage, socklen_t(MemoryLayout<sockaddr_in>.size))
    case .v6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
        unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
        unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
      return (storage, socklen_t(MemoryLayout<sockaddr_in6>.size))
    case .unix: return unixStorage
    }
  }

  /// The family as the kernel names it.
  var kernelFamily: Int32 {
    switch family {
    case .v4: return AF_INET
    case .v6: return AF_INET6
    case .unix: return AF_UNIX
    }
  }

  /// The address alone: `127.0.0.1`, `::1`, `/run/app.sock`.
  package var host: String {
    if family == .unix { return String(decoding: unixBytes, as: UTF8.self) }
    let size = Int(INET6_ADDRSTRLEN)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
      guard let start = buffer.baseAddress else { return "" }
      switch family {
      case .v4:
        var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
        unsafe inet_ntop(AF_INET, &address, start, socklen_t(size))
      case .v6:
        var words = (high.bigEndian, low.bigEndian)
        unsafe inet_ntop(AF_INET6, &words, start, socklen_t(size))
      case .unix: return ""
      }
      return unsafe String(cString: start)
    }
  }

  /// `127.0.0.1:80`, `[::1]:80`, `/run/app.sock`, `@abstract`.
  package var description: String {
    switch family {
    case .v4: return "\(host):\(port)"
    case .v6: return "[\(host)]:\(port)"
    case .unix: return host
    }
  }

  /// Whether this is the same host, whatever the ports.
  package func hasSameHost(as other: SocketAddress) -> Bool {
    low == other.low && high == other.high && family == other.family
  }

  /// The same address with another port; a unix-domain socket has none.
  package func withPort(_ port: UInt16) -> SocketAddress {
    guard family != .unix else { return self }
    var copy = self
    copy.port = port
    return copy
  }

  /// Loopback, link-local, private, shared (RFC 6598) or unspecified ranges: Envoy's notion of an internal peer is the
  /// private ones; egress to the others is refused unless a resource names them. A unix-domain socket says nothing of where its peer is: external, as
  /// in Envoy.
  package var isPrivate: Bool {
    switch family {
    case .v4: return Self.isPrivate(v4: UInt32(truncatingIfNeeded: low))
    case .v6:
      if high == 0, low >> 32 == 0xFFFF { return Self.isPrivate(v4: UInt32(truncatingIfNeeded: low)) }
      return (high == 0 && low <= 1) || high >> 57 == 0x7E || high >> 54 == 0x3FA
    case .unix: return false
    }
  }

  /// 127.0.0.0/8 or ::1, also as an IPv4-mapped IPv6 address: the peer is on this machine.
  package var isLoopback: Bool {
    switch family {
    case .v4: return UInt32(truncatingIfNeeded: low) >> 24 == 127
    case .v6: return high == 0 && (low == 1 || low >> 24 == 0xFFFF7F)
    case .unix: return false
    }
  }

  private static func isPrivate(v4 address: UInt32) -> Bool {
    address >> 24 == 10 || address >> 20 == 0xAC1 || address >> 16 == 0xC0A8 || address >> 24 == 127
      || address >> 16 == 0xA9FE || address >> 22 == 0x191 || address == 0
  }
}
