/// Finds where a run of bytes of one kind ends, eight bytes at a time.
///
/// Heads are mostly long runs of plain bytes, and looking at each alone costs about ten instructions. No load goes
/// without a check that its eight bytes are there; the last bytes of the input, fewer, are looked at one by one.
enum ByteScan {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let tops: UInt64 = 0x8080_8080_8080_8080

  /// The first byte at or after `start` that cannot stand in a field value; the end of `bytes` if there is none.
  @inline(__always)
  static func endOfFieldValue(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while let word = word(bytes, index) {
      let hits = below(word, 0x20) | equal(word, 0x7F)
      if hits == 0 {
        index &+= 8
        continue
      }
      index &+= hits.trailingZeroBitCount >> 3
      // HTAB is the one control that may stand in a value.
      guard bytes[index] == Octet.tab else { return index }
      index &+= 1
    }
    while index < bytes.count, Octet.isFieldValue(bytes[index]) { index &+= 1 }
    return index
  }

  /// The first byte at or after `start` that cannot stand in a request target.
  @inline(__always)
  static func endOfTarget(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while let word = word(bytes, index) {
      let hits = below(word, 0x21) | equal(word, 0x7F)
      if hits != 0 { return index &+ (hits.trailingZeroBitCount >> 3) }
      index &+= 8
    }
    while index < bytes.count, Octet.isTarget(bytes[index]) { index &+= 1 }
    return index
  }

  /// The first byte at or after `start` that is no `tchar`. Names are letters and dashes nearly always.
  @inline(__always)
  static func endOfToken(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while let word = word(bytes, index) {
      let others = ~lettersAndDashes(word) & tops
      if others != 0 {
        index &+= others.trailingZeroBitCount >> 3
        if bytes[index] == Octet.colon { return index }
        break
      }
      index &+= 8
    }
    while index < bytes.count, Octet.isToken(bytes[index]) { index &+= 1 }
    return index
  }

  /// The first LF at or after `start`; the end of `bytes`, or `start` when it lies behind, if there is none.
  @inline(__always)
  static func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while let word = word(bytes, index) {
      let hits = equal(word, Octet.lineFeed)
      if hits != 0 { return index &+ (hits.trailingZeroBitCount >> 3) }
      index &+= 8
    }
    while index < bytes.count, bytes[index] != Octet.lineFeed { index &+= 1 }
    return index
  }

  /// The first `?` or `#` at or after `start`; the end of `bytes` if there is none.
  @inline(__always)
  static func endOfPath(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while let word = word(bytes, index) {
      let hits = equal(word, 0x3F) | equal(word, 0x23)
      if hits != 0 { return index &+ (hits.trailingZeroBitCount >> 3) }
      index &+= 8
    }
    while index < bytes.count, bytes[index] != 0x3F, bytes[index] != 0x23 { index &+= 1 }
    return index
  }

  // MARK: Words

  /// The eight bytes at `index`, the first one lowest; nil when there are fewer.
  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, _ index: Int) -> UInt64? {
    // With a count of 8 or more the difference cannot overflow, and a negative index is above it as an unsigned one.
    guard bytes.count >= 8, UInt(bitPattern: index) <= UInt(bitPattern: bytes.count &- 8) else { return nil }
    // That was the check of the bounds; every eight bytes are a valid integer.
    return unsafe UInt64(
      littleEndian: bytes.raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }

  /// The word with its upper-case ASCII letters in lower case.
  @inline(__always)
  static func lowercased(_ word: UInt64) -> UInt64 {
    let low = word & ~tops
    let uppers = (low &+ ones &* (0x80 - 0x41)) & ~(low &+ ones &* (0x80 - 0x5B)) & ~word & tops
    return word | uppers >> 2
  }

  /// Top bits where a byte is below `limit`, at most 128. The lowest bit set is exact; those above it may be too many.
  @inline(__always)
  private static func below(_ word: UInt64, _ limit: UInt8) -> UInt64 {
    (word &- ones &* UInt64(limit)) & ~word & tops
  }

  /// Top bits where a byte is `value`. The lowest bit set is exact; those above it may be too many.
  @inline(__always)
  private static func equal(_ word: UInt64, _ value: UInt8) -> UInt64 {
    below(word ^ (ones &* UInt64(value)), 1)
  }

  /// Top bits where a byte is a letter or a dash, exactly: no sum carries into the next byte.
  @inline(__always)
  private static func lettersAndDashes(_ word: UInt64) -> UInt64 {
    let lower = (word | ones &* 0x20) & ~tops
    let letters = (lower &+ ones &* (0x80 - 0x61)) & ~(lower &+ ones &* (0x80 - 0x7B))
    let dashes = ~(((word ^ (ones &* 0x2D)) & ~tops) &+ ones &* 0x7F)
    return (letters | dashes) & ~word & tops
  }
}
