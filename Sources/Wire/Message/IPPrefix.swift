/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
package struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
  package let address: IPAddress
  /// 0...32 or 0...128
  package let length: Int

  /// Parses an address, or an address with a slash and the length of the prefix; bits behind the prefix do not count.
  package init?(text: RawSpan) {
    let bytes = text.octets
    var slash = 0
    while slash < bytes.count, bytes[slash] != 0x2F { slash += 1 }
    guard let address = IPAddress(text: text.extracting(first: slash)) else { return nil }
    let longest = address.isV4 ? 32 : 128
    var length = longest
    if slash < bytes.count {
      length = 0
      guard slash + 1 < bytes.count, bytes.count - slash <= 4 else { return nil }
      for index in slash + 1..<bytes.count {
        guard Octet.isDigit(bytes[index]) else { return nil }
        length = length * 10 + Int(bytes[index] - 0x30)
      }
      guard length <= longest else { return nil }
    }
    self.address = address
    self.length = length
  }

  /// Parses the text form.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    self.init(text: bytes.span.raw)
  }

  /// `10.0.0.0/8`; an address alone has no length.
  package var description: String { length == (address.isV4 ? 32 : 128) ? "\(address)" : "\(address)/\(length)" }

  /// Whether an address lies in the range. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
  package func contains(_ other: IPAddress) -> Bool {
    let other = other.unmapped
    guard other.isV4 == address.isV4 else { return false }
    if address.isV4 { return length == 0 || (other.low ^ address.low) >> UInt64(32 - length) == 0 }
    if length <= 64 { return length == 0 || (other.high ^ address.high) >> UInt64(64 - length) == 0 }
    return other.high == address.high && (other.low ^ address.low) >> UInt64(128 - length) == 0
  }
}
