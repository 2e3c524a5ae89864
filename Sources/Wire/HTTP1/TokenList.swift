/// The members of a comma-separated list (RFC 9110, section 5.6.1), white space trimmed, empty ones skipped.
struct TokenList: ~Escapable {
  private let bytes: RawSpan
  private var position = 0

  @_lifetime(copy value)
  init(_ value: RawSpan) {
    bytes = value
  }

  @_lifetime(copy self)
  mutating func next() -> RawSpan? {
    let octets = bytes.octets
    while position < octets.count {
      var start = position
      var end = start
      while end < octets.count, octets[end] != 0x2C { end += 1 }
      position = end + 1
      while start < end, octets[start] == Octet.space || octets[start] == Octet.tab { start += 1 }
      while end > start, octets[end - 1] == Octet.space || octets[end - 1] == Octet.tab { end -= 1 }
      if end > start { return bytes.extracting(start..<end) }
    }
    return nil
  }
}
