/// An IP address as bytes on a wire and in text, without a port and without a socket. IPv4 sits in the low 32 bits.
package struct IPAddress: Hashable, Sendable {
  package let isV4: Bool
  package let high: UInt64
  package let low: UInt64

  /// Four octets, most significant first.
  package init(v4: UInt32) {
    isV4 = true
    high = 0
    low = UInt64(v4)
  }

  /// The two halves, most significant first.
  package init(v6High high: UInt64, low: UInt64) {
    isV4 = false
    self.high = high
    self.low = low
  }

  /// Parses the text form: four decimal numbers without leading zeros, or RFC 4291, section 2.2. Nothing else, so no
  /// zone and no brackets.
  package init?(text: RawSpan) {
    if let v4 = Self.parseV4(text.octets, from: 0) {
      self.init(v4: v4)
    } else if let (high, low) = Self.parseV6(text.octets) {
      self.init(v6High: high, low: low)
    } else {
      return nil
    }
  }

  /// Parses the text form.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    self.init(text: bytes.span.raw)
  }

  private static func parseV4(_ bytes: Span<UInt8>, from start: Int) -> UInt32? {
    var address: UInt32 = 0
    var index = start
    for part in 0..<4 {
      if part > 0 {
        guard index < bytes.count, bytes[index] == 0x2E else { return nil }
        index += 1
      }
      let first = index
      var value: UInt32 = 0
      while index < bytes.count, index - first < 3, Octet.isDigit(bytes[index]) {
        value = value * 10 + UInt32(bytes[index] - 0x30)
        index += 1
      }
      // A leading zero is octal to some readers.
      guard index > first, value <= 255, index - first == 1 || bytes[first] != 0x30 else { return nil }
      address = address << 8 | value
    }
    return index == bytes.count ? address : nil
  }

  private static func parseV6(_ bytes: Span<UInt8>) -> (UInt64, UInt64)? {
    var groups = InlineArray<8, UInt16>(repeating: 0)
    var count = 0
    var gap = -1
    var index = 0
    guard bytes.count >= 2, bytes.count <= 45 else { return nil }
    if bytes[0] == 0x3A {
      guard bytes[1] == 0x3A else { return nil }
      gap = 0
      index = 2
    }
    while index < bytes.count {
      guard count < 8 else { return nil }
      let first = index
      var value: UInt16 = 0
      while index < bytes.count, index - first < 4, let digit = Octet.hexadecimal(bytes[index]) {
        value = value << 4 | UInt16(digit)
        index += 1
      }
      if index < bytes.count, bytes[index] == 0x2E {
        // The last 32 bits may be written as IPv4.
        guard count <= 6, let v4 = parseV4(bytes, from: first) else { return nil }
        groups[count] = UInt16(truncatingIfNeeded: v4 >> 16)
        groups[count + 1] = UInt16(truncatingIfNeeded: v4)
        count += 2
        index = bytes.count
        break
      }
      guard index > first else { return nil }
      groups[count] = value
      count += 1
      guard index < bytes.count else { break }
      guard bytes[index] == 0x3A, index + 1 < bytes.count else { return nil }
      index += 1
      if bytes[index] == 0x3A {
        guard gap < 0 else { return nil }
        gap = count
        index += 1
      }
    }
    // Two colons stand for at least one group.
    guard gap < 0 ? count == 8 : count < 8 else { return nil }
    return join(groups, count: count, gap: gap)
  }

  private static func join(_ groups: InlineArray<8, UInt16>, count: Int, gap: Int) -> (UInt64, UInt64) {
    var halves: (UInt64, UInt64) = (0, 0)
    for place in 0..<8 {
      let missing = 8 - count
      let source = gap < 0 || place < gap ? place : place - missing
      let isZero = gap >= 0 && place >= gap && place < gap + missing
      let value = isZero ? 0 : UInt64(groups[source])
      if place < 4 { halves.0 = halves.0 << 16 | value } else { halves.1 = halves.1 << 16 | value }
    }
    return halves
  }

  /// The longest text form, in bytes.
  package static let maxTextBytes = 45

  /// Writes the text form: decimal numbers, or RFC 5952's canonical form.
  package func write(_ writer: inout ByteWriter, into output: inout MutableRawSpan) {
    guard isV4 else { return writeV6(&writer, into: &output) }
    for part in 0..<4 {
      if part > 0 { writer.write(".", into: &output) }
      writer.write(decimal: Int(low >> UInt64(24 - part * 8)) & 255, into: &output)
    }
  }

  private func group(_ place: Int) -> Int {
    Int(truncatingIfNeeded: (place < 4 ? high : low) >> UInt64(48 - (place & 3) * 16)) & 0xFFFF
  }

  private func writeV6(_ writer: inout ByteWriter, into output: inout MutableRawSpan) {
    // The longest run of at least two zero groups, the first of equal ones, becomes two colons.
    var best = (start: -1, count: 1)
    var run = 0
    for place in 0..<8 {
      run = group(place) == 0 ? run + 1 : 0
      if run > best.count { best = (place - run + 1, run) }
    }
    var place = 0
    while place < 8 {
      if place == best.start {
        writer.write("::", into: &output)
        place += best.count
        continue
      }
      if place > 0, place != best.start + best.count || best.start < 0 { writer.write(":", into: &output) }
      writer.write(hexadecimal: group(place), into: &output)
      place += 1
    }
  }
}

extension IPAddress: CustomStringConvertible {
  /// The text form, for people.
  package var description: String {
    var bytes = [UInt8](repeating: 0, count: Self.maxTextBytes)
    var writer = ByteWriter()
    var span = bytes.mutableSpan
    var output = unsafe span.mutableBytes
    write(&writer, into: &output)
    return String(decoding: bytes[..<writer.position], as: UTF8.self)
  }

  /// The IPv4 address that an IPv6 address stands for, else the address itself.
  package var unmapped: IPAddress {
    guard !isV4, high == 0, low >> 32 == 0xFFFF else { return self }
    return IPAddress(v4: UInt32(truncatingIfNeeded: low))
  }
}
