extension RawSpan {
  /// The bytes as elements, for bounds-checked access.
  @inlinable
  public var octets: Span<UInt8> {
    @_lifetime(copy self)
    @inline(__always)
    get {
      // Every byte is a valid UInt8 and needs no alignment: the view is safe for all contents.
      unsafe _unsafeView(as: UInt8.self)
    }
  }

  /// Compares without regard to ASCII case; `lowercased` must be lower case already.
  package func equalsIgnoringCase(_ lowercased: StaticString) -> Bool {
    guard byteCount == lowercased.utf8CodeUnitCount else { return false }
    return lowercased.withUTF8Buffer { unsafe Self.equal(self, RawSpan(_unsafeElements: $0)) }
  }

  /// Compares without regard to ASCII case.
  func equalsIgnoringCase(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    let left = octets
    let right = other.octets
    for index in 0..<left.count where Octet.lowercased(left[index]) != Octet.lowercased(right[index]) { return false }
    return true
  }

  /// Eight bytes at a time, the last eight overlapping those before; both have the same length.
  @inline(__always)
  private static func equal(_ bytes: RawSpan, _ lowercased: RawSpan) -> Bool {
    let count = bytes.byteCount
    if count >= 8 {
      var index = 0
      while index + 8 < count {
        guard ByteScan.lowercased(bytes.word(at: index)) == lowercased.word(at: index) else { return false }
        index += 8
      }
      return ByteScan.lowercased(bytes.word(at: count - 8)) == lowercased.word(at: count - 8)
    }
    if count >= 4 {
      return ByteScan.lowercased(bytes.shortWords()) == lowercased.shortWords()
    }
    let left = bytes.octets
    let right = lowercased.octets
    for index in 0..<count where Octet.lowercased(left[index]) != right[index] { return false }
    return true
  }

  /// Eight bytes, the first one lowest.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    // Every eight bytes are a valid integer; the bounds are checked.
    unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// The first four bytes and the last four of four to seven.
  @inline(__always)
  func shortWords() -> UInt64 {
    let first = unsafe unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
    let last = unsafe unsafeLoadUnaligned(fromByteOffset: byteCount - 4, as: UInt32.self)
    return UInt64(first) | UInt64(last) << 32
  }

  /// Whether the bytes begin with `lowercased`, without regard to ASCII case.
  func hasPrefixIgnoringCase(_ lowercased: StaticString) -> Bool {
    let count = lowercased.utf8CodeUnitCount
    return byteCount >= count && extracting(first: count).equalsIgnoringCase(lowercased)
  }

  /// Compares byte for byte.
  package func equals(_ other: RawSpan) -> Bool {
    guard byteCount == other.byteCount else { return false }
    var index = 0
    while index + 8 <= byteCount {
      guard word(at: index) == other.word(at: index) else { return false }
      index += 8
    }
    let left = octets
    let right = other.octets
    while index < byteCount {
      guard left[index] == right[index] else { return false }
      index += 1
    }
    return true
  }
}

/// What single bytes are in HTTP's grammar. Bit masks instead of tables: no memory to load.
enum Octet {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let colon: UInt8 = 0x3A

  /// `tchar` of RFC 9110, section 5.6.2.
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    // ! # $ % & ' * + - . 0-9  |  A-Z ^ _ ` a-z | ~
    let low: UInt64 = 0x03FF_6CFA_0000_0000
    let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    guard byte < 128 else { return false }
    let mask = byte < 64 ? low : high
    return (mask >> UInt64(byte & 63)) & 1 == 1
  }

  /// `field-vchar`, SP and HTAB of RFC 9110, section 5.5: everything but controls.
  @inline(__always)
  static func isFieldValue(_ byte: UInt8) -> Bool {
    (byte >= 0x20 && byte != 0x7F) || byte == tab
  }

  /// What may stand in a request target: visible characters, and bytes above ASCII as browsers send them.
  @inline(__always)
  static func isTarget(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != 0x7F
  }

  @inline(__always)
  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// The value of a hexadecimal digit, nil for anything else.
  @inline(__always)
  static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: return byte - 0x30
    case 0x41...0x46: return byte - 0x37
    case 0x61...0x66: return byte - 0x57
    default: return nil
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

extension Span where Element == UInt8 {
  /// The bytes without their type. Safe for bytes, which have no padding; `bytes` is not, for elements in general.
  @inlinable
  public var raw: RawSpan {
    @_lifetime(copy self)
    @inline(__always)
    get { unsafe bytes }
  }
}
