/// Reads a PROXY protocol header (HAProxy's `proxy-protocol.txt`), strictly: what is not a header is refused, because who
/// asks for one does not guess. Stateless: the bytes are offered from the beginning again when more have come.
package enum ProxyProtocolReader {
  /// The longest header that is read: the longest line of version 1 is 107 bytes, addresses of version 2 make 52; the rest
  /// is room for its TLVs.
  package static let maxBytes = 4096
  private static let maxLineBytes = 107
  private static let fixedBytes = 16

  /// What the bytes are so far.
  package enum Reading: Equatable, Sendable {
    /// Nothing can be said before this many bytes, counted from the beginning of the connection, are there.
    case needMore(total: Int)
    case refused
    /// The header, and its length in bytes.
    case parsed(ProxyProtocolHeader, consumed: Int)
  }

  /// Reads the header at the beginning of `input`.
  package static func read(_ input: RawSpan) -> Reading {
    let bytes = input.octets
    guard bytes.count > 0 else { return .needMore(total: 1) }
    switch bytes[0] {
    case 0x50: return readLine(input)
    case 0x0D: return readBinary(input)
    default: return .refused
    }
  }

  // MARK: Version 1

  private static func readLine(_ input: RawSpan) -> Reading {
    let bytes = input.octets
    let start: StaticString = "PROXY "
    guard hasPrefix(input, start, upTo: bytes.count) else { return .refused }
    let limit = min(bytes.count, maxLineBytes)
    var end = 0
    while end < limit, bytes[end] != Octet.lineFeed { end += 1 }
    guard end < limit else { return bytes.count >= maxLineBytes ? .refused : .needMore(total: bytes.count + 1) }
    guard end > start.utf8CodeUnitCount, bytes[end - 1] == Octet.carriageReturn else { return .refused }
    var words = Words(input.extracting(start.utf8CodeUnitCount..<end - 1))
    guard let family = words.next() else { return .refused }
    // Whatever follows UNKNOWN must be ignored.
    if isText(family, "UNKNOWN") { return .parsed(.init(version: .v1, addresses: nil), consumed: end + 1) }
    let isV4 = isText(family, "TCP4")
    guard isV4 || isText(family, "TCP6") else { return .refused }
    guard let from = words.address(isV4: isV4), let to = words.address(isV4: isV4), let fromPort = words.port(),
      let toPort = words.port(), words.isAtEnd
    else { return .refused }
    let addresses = ProxyProtocolHeader.Addresses(
      source: .init(address: from, port: fromPort), destination: .init(address: to, port: toPort))
    return .parsed(.init(version: .v1, addresses: addresses), consumed: end + 1)
  }

  private static func hasPrefix(_ input: RawSpan, _ text: StaticString, upTo count: Int) -> Bool {
    let length = min(count, text.utf8CodeUnitCount)
    return text.withUTF8Buffer {
      unsafe input.extracting(first: length).equals(RawSpan(_unsafeElements: $0).extracting(first: length))
    }
  }

  private static func isText(_ bytes: RawSpan, _ text: StaticString) -> Bool {
    bytes.byteCount == text.utf8CodeUnitCount && hasPrefix(bytes, text, upTo: bytes.byteCount)
  }

  /// Words with exactly one space between them.
  private struct Words: ~Escapable {
    private let bytes: RawSpan
    private var position = 0
    private(set) var isAtEnd = false

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
      self.bytes = bytes
    }

    @_lifetime(copy self)
    mutating func next() -> RawSpan? {
      guard !isAtEnd else { return nil }
      let octets = bytes.octets
      let start = position
      var end = start
      while end < octets.count, octets[end] != Octet.space { end += 1 }
      isAtEnd = end == octets.count
      position = end + 1
      return end > start ? bytes.extracting(start..<end) : nil
    }

    mutating func address(isV4: Bool) -> IPAddress? {
      guard let text = next(), let address = IPAddress(text: text), address.isV4 == isV4 else { return nil }
      return address
    }

    /// Decimal, without sign or leading zeros, 0...65535.
    mutating func port() -> UInt16? {
      guard let digits = next()?.octets, digits.count <= 5, digits.count == 1 || digits[0] != 0x30 else { return nil }
      var value = 0
      for index in 0..<digits.count {
        guard Octet.isDigit(digits[index]) else { return nil }
        value = value * 10 + Int(digits[index] - 0x30)
      }
      return UInt16(exactly: value)
    }
  }

  // MARK: Version 2

  private static func readBinary(_ input: RawSpan) -> Reading {
    let bytes = input.octets
    for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] { return .refused }
    guard bytes.count >= fixedBytes else { return .needMore(total: fixedBytes) }
    let length = Int(bytes[14]) << 8 | Int(bytes[15])
    // The high half is the version, the low one the command.
    guard bytes[12] == 0x20 || bytes[12] == 0x21, fixedBytes + length <= maxBytes else { return .refused }
    guard bytes.count >= fixedBytes + length else { return .needMore(total: fixedBytes + length) }
    let body = input.extracting(fixedBytes..<fixedBytes + length)
    let consumed = fixedBytes + length
    let isLocal = bytes[12] == 0x20
    guard let addressBytes = addressBytes(ofFamily: bytes[13]) else {
      // A sender that speaks for itself may fill in anything.
      return isLocal ? .parsed(.init(version: .v2, addresses: nil), consumed: consumed) : .refused
    }
    if isLocal { return .parsed(.init(version: .v2, addresses: nil), consumed: consumed) }
    guard length >= addressBytes, areExtensionsValid(body.extracting(droppingFirst: addressBytes)) else {
      return .refused
    }
    return .parsed(.init(version: .v2, addresses: addresses(body, family: bytes[13])), consumed: consumed)
  }

  /// How many bytes the addresses of a family and transport take; nil for what cannot come over a stream socket.
  private static func addressBytes(ofFamily family: UInt8) -> Int? {
    switch family {
    case 0x00: return 0
    case 0x11: return 12
    case 0x21: return 36
    case 0x31: return 216
    default: return nil
    }
  }

  private static func addresses(_ body: RawSpan, family: UInt8) -> ProxyProtocolHeader.Addresses? {
    switch family {
    case 0x11:
      return .init(
        source: .init(
          address: IPAddress(v4: UInt32(truncatingIfNeeded: number(body, 0, 4))),
          port: UInt16(truncatingIfNeeded: number(body, 8, 2))),
        destination: .init(
          address: IPAddress(v4: UInt32(truncatingIfNeeded: number(body, 4, 4))),
          port: UInt16(truncatingIfNeeded: number(body, 10, 2))))
    case 0x21:
      return .init(
        source: .init(
          address: IPAddress(v6High: number(body, 0, 8), low: number(body, 8, 8)),
          port: UInt16(truncatingIfNeeded: number(body, 32, 2))),
        destination: .init(
          address: IPAddress(v6High: number(body, 16, 8), low: number(body, 24, 8)),
          port: UInt16(truncatingIfNeeded: number(body, 34, 2))))
    default: return nil
    }
  }

  private static func number(_ bytes: RawSpan, _ start: Int, _ count: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in start..<start + count { value = value << 8 | UInt64(bytes.octets[index]) }
    return value
  }

  /// TLVs: a type, two bytes of length, the value. None of them is acted on, all must end where the header ends.
  private static func areExtensionsValid(_ bytes: RawSpan) -> Bool {
    let octets = bytes.octets
    var position = 0
    while position < octets.count {
      guard octets.count - position >= 3 else { return false }
      position += 3 + (Int(octets[position + 1]) << 8 | Int(octets[position + 2]))
    }
    return position == octets.count
  }

  /// The twelve bytes that begin version 2: no protocol begins like this by accident.
  static let signature: InlineArray<12, UInt8> = [
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
  ]
}
