/// Host and optional port, as in `Host` and in absolute targets (RFC 3986, section 3.2, without userinfo).
package enum Authority {
  /// Whether this is `host`, `host:port`, `[v6]` or `[v6]:port` with a port of 1 to 65535.
  package static func isValid(_ authority: RawSpan) -> Bool {
    let bytes = authority.octets
    guard bytes.count > 0, bytes.count <= 255 + 6 else { return false }
    let hostEnd = self.hostEnd(bytes)
    guard hostEnd > 0 else { return false }
    // A port may be empty (RFC 3986, section 3.2.3).
    return hostEnd + 1 >= bytes.count || isPort(bytes, from: hostEnd + 1)
  }

  /// Whether this is `host:port`: the target of CONNECT has no default port (RFC 9110, section 9.3.6).
  package static func isValidTarget(_ authority: RawSpan) -> Bool {
    isValid(authority) && host(of: authority).byteCount + 1 < authority.byteCount
  }

  /// The authority without its port: `[::1]:80` gives `[::1]`.
  @_lifetime(copy authority)
  package static func host(of authority: RawSpan) -> RawSpan {
    let bytes = authority.octets
    var end = bytes.count
    while end > 0, Octet.isDigit(bytes[end &- 1]) { end &-= 1 }
    guard end > 0, end <= bytes.count, bytes[end - 1] == Octet.colon else { return authority }
    // A colon inside brackets belongs to the address.
    guard bytes[0] != 0x5B || (end >= 2 && bytes[end - 2] == 0x5D) else { return authority }
    return authority.extracting(first: end - 1)
  }

  /// Where the host ends, 0 when it is malformed.
  private static func hostEnd(_ bytes: Span<UInt8>) -> Int {
    if bytes[0] == 0x5B {
      var index = 1
      while index < bytes.count,
        Octet.hexadecimal(bytes[index]) != nil || bytes[index] == Octet.colon || bytes[index] == 0x2E
      {
        index += 1
      }
      guard index < bytes.count, bytes[index] == 0x5D, index > 2 else { return 0 }
      let end = index + 1
      return end == bytes.count || bytes[end] == Octet.colon ? end : 0
    }
    var index = 0
    while index < bytes.count, isHostCharacter(bytes[index]) { index &+= 1 }
    return index == bytes.count || bytes[index] == Octet.colon ? index : 0
  }

  /// Unreserved characters, sub-delimiters that occur in names, and percent-encodings are left out: no server has them.
  private static func isHostCharacter(_ byte: UInt8) -> Bool {
    // - . 0-9  |  A-Z _ a-z ~
    let low: UInt64 = 0x03FF_6000_0000_0000
    let high: UInt64 = 0x47FF_FFFE_87FF_FFFE
    guard byte < 128 else { return false }
    return ((byte < 64 ? low : high) >> UInt64(byte & 63)) & 1 == 1
  }

  private static func isPort(_ bytes: Span<UInt8>, from start: Int) -> Bool {
    guard start < bytes.count, bytes.count - start <= 5 else { return false }
    var port = 0
    for index in start..<bytes.count {
      guard Octet.isDigit(bytes[index]) else { return false }
      // Five digits at most.
      port = port &* 10 &+ Int(bytes[index] &- 0x30)
    }
    return port >= 1 && port <= 65535
  }
}
