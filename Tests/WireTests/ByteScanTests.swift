import Testing

@testable import Wire

/// Eight bytes at a time finds what a byte at a time finds.
@Suite struct ByteScanTests {
  /// The oracle.
  private func end(_ bytes: [UInt8], from start: Int, while holds: (UInt8) -> Bool) -> Int {
    var index = start
    while index < bytes.count, holds(bytes[index]) { index += 1 }
    return index
  }

  private func compare(_ bytes: [UInt8], from start: Int) {
    let span = bytes.span
    #expect(
      ByteScan.endOfFieldValue(span, from: start) == end(bytes, from: start, while: Octet.isFieldValue), "\(bytes)")
    #expect(ByteScan.endOfTarget(span, from: start) == end(bytes, from: start, while: Octet.isTarget), "\(bytes)")
    #expect(ByteScan.endOfToken(span, from: start) == end(bytes, from: start, while: Octet.isToken), "\(bytes)")
    #expect(
      ByteScan.lineFeed(span, from: start) == end(bytes, from: start) { $0 != Octet.lineFeed }, "\(bytes)")
    #expect(
      ByteScan.endOfPath(span, from: start) == end(bytes, from: start) { $0 != 0x3F && $0 != 0x23 }, "\(bytes)")
  }

  @Test func `stops at each byte value at each place of a word`() {
    for filler in [UInt8(0x61), 0x2D, 0x7E, 0x80, 0xFF] {
      for place in 0..<19 {
        for value in UInt8.min...UInt8.max {
          var bytes = [UInt8](repeating: filler, count: 19)
          bytes[place] = value
          compare(bytes, from: 0)
        }
      }
    }
  }

  @Test func `agrees on any two neighbours, where a borrow could spill`() {
    for first in UInt8.min...UInt8.max {
      for second in [
        UInt8(0x00), 0x01, 0x09, 0x0A, 0x0B, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x2D, 0x3F, 0x2E, 0x7E, 0x7F, 0x80, 0xFF,
      ] {
        compare([0x61, first, second, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61], from: 0)
        compare([0x61, 0x61, first, second, 0x09, 0x61, 0x61, 0x61, 0x0A, 0x61], from: 1)
      }
    }
  }

  @Test func `looks at nothing behind the end`() {
    for count in 0...17 {
      for start in 0...count { compare([UInt8](repeating: 0x61, count: count), from: start) }
    }
    #expect(ByteScan.lineFeed([UInt8(0x0A)].span, from: 3) == 3)
  }
}
