/// Parses the field lines of a head or of trailers: strict, one pass, positions only.
struct FieldLineParser {
  /// What a line was.
  enum Line {
    case field(name: ByteRange, value: ByteRange, next: Int)
    /// The empty line that ends the block; `next` is behind it.
    case end(next: Int)
    /// The line is not complete.
    case incomplete
    case refused(HTTP1Refusal)
  }

  /// Parses the line at `start`.
  @inline(__always)
  static func parse(_ bytes: Span<UInt8>, at start: Int) -> Line {
    let count = bytes.count
    var index = start
    guard index < count else { return .incomplete }
    switch bytes[index] {
    case Octet.carriageReturn:
      guard index + 1 < count else { return .incomplete }
      return bytes[index + 1] == Octet.lineFeed ? .end(next: index + 2) : .refused(.bareCarriageReturn)
    case Octet.lineFeed: return .refused(.bareLineFeed)
    case Octet.space, Octet.tab: return .refused(.obsoleteLineFolding)
    default: break
    }
    index = ByteScan.endOfToken(bytes, from: index)
    guard index < count else { return .incomplete }
    guard bytes[index] == Octet.colon else { return .refused(badName(bytes[index])) }
    let name = ByteRange(offset: start, count: index - start)
    guard !name.isEmpty else { return .refused(.malformedFieldName) }
    return parseValue(bytes, name: name, at: index + 1)
  }

  private static func badName(_ byte: UInt8) -> HTTP1Refusal {
    switch byte {
    case Octet.space, Octet.tab: return .whitespaceBeforeColon
    case Octet.carriageReturn: return .missingColon
    case Octet.lineFeed: return .bareLineFeed
    default: return .malformedFieldName
    }
  }

  @inline(__always)
  private static func parseValue(_ bytes: Span<UInt8>, name: ByteRange, at start: Int) -> Line {
    let count = bytes.count
    var index = start
    while index < count, isBlank(bytes[index]) { index &+= 1 }
    let valueStart = index
    index = ByteScan.endOfFieldValue(bytes, from: index)
    guard index < count else { return .incomplete }
    switch bytes[index] {
    case Octet.carriageReturn: break
    case Octet.lineFeed: return .refused(.bareLineFeed)
    default: return .refused(.invalidFieldValue)
    }
    guard index + 1 < count else { return .incomplete }
    guard bytes[index + 1] == Octet.lineFeed else { return .refused(.bareCarriageReturn) }
    let next = index + 2
    while index > valueStart, isBlank(bytes[index &- 1]) { index &-= 1 }
    return .field(name: name, value: ByteRange(offset: valueStart, count: index &- valueStart), next: next)
  }

  @inline(__always)
  private static func isBlank(_ byte: UInt8) -> Bool { byte == Octet.space || byte == Octet.tab }
}
