import CLinux

extension SocketAddress {
  /// The longest text that `write` makes: a unix-domain socket's path.
  package static let maxTextBytes = maxUnixPathBytes

  /// Writes `127.0.0.1:80`, `[::1]:80` or `/run/app.sock` without allocating; returns the length in bytes.
  package func write(into output: inout MutableRawSpan) -> Int {
    if family == .unix { return writeUnixPath(into: &output, at: 0) }
    var position = 0
    if family == .v6 { Self.put(0x5B, &position, &output) }
    position = writeHost(into: &output, at: position)
    if family == .v6 { Self.put(0x5D, &position, &output) }
    Self.put(0x3A, &position, &output)
    Self.putDecimal(UInt32(port), &position, &output)
    return position
  }

  /// Writes the address without port and brackets; returns the length in bytes.
  package func writeHost(into output: inout MutableRawSpan) -> Int {
    writeHost(into: &output, at: 0)
  }

  private func writeHost(into output: inout MutableRawSpan, at start: Int) -> Int {
    if family == .unix { return writeUnixPath(into: &output, at: start) }
    var position = start
    if family == .v4 {
      let address = v4
      Self.putDecimal(address >> 24, &position, &output)
      Self.put(0x2E, &position, &output)
      Self.putDecimal(address >> 16 & 255, &position, &output)
      Self.put(0x2E, &position, &output)
      Self.putDecimal(address >> 8 & 255, &position, &output)
      Self.put(0x2E, &position, &output)
      Self.putDecimal(address & 255, &position, &output)
      return position
    }
    // The shortest form of an IPv6 address is the C library's business.
    var (storage, _) = self.storage
    let length = unsafe output.withUnsafeMutableBytes { bytes in
      unsafe shim_write_v6(&storage, bytes.baseAddress.map { unsafe $0 + start }, bytes.count - start)
    }
    return start + Int(length)
  }

  private static func put(_ byte: UInt8, _ position: inout Int, _ output: inout MutableRawSpan) {
    output.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
    position += 1
  }

  private static func putDecimal(_ value: UInt32, _ position: inout Int, _ output: inout MutableRawSpan) {
    var divisor: UInt32 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      put(UInt8(truncatingIfNeeded: value / divisor % 10) + 0x30, &position, &output)
      divisor /= 10
    }
  }
}
