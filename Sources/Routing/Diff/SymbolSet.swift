/// A set of the characters that texts of requests are made of: tab and printable ASCII, and one that stands for all
/// characters beyond ASCII.
struct SymbolSet: Hashable, Sendable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  /// Stands for every character beyond ASCII.
  static let foreign: UInt8 = 0x7F

  /// All of them.
  static let all = SymbolSet((0x20...0x7F) + [0x09])
  /// What a path or a query may have in a request line.
  static let path = all.subtracting(SymbolSet([0x09, 0x20, UInt8(ascii: "?"), UInt8(ascii: "#")]))

  init(_ symbols: some Sequence<UInt8>) {
    for symbol in symbols where symbol < 128 {
      if symbol < 64 { low |= 1 << UInt64(symbol) } else { high |= 1 << UInt64(symbol - 64) }
    }
  }

  var isEmpty: Bool { low | high == 0 }

  /// The symbol of a set that has one alone.
  var only: UInt8? {
    guard low.nonzeroBitCount + high.nonzeroBitCount == 1 else { return nil }
    return UInt8(low != 0 ? low.trailingZeroBitCount : 64 + high.trailingZeroBitCount)
  }

  func contains(_ symbol: UInt8) -> Bool {
    symbol < 64 ? low & (1 << UInt64(symbol)) != 0 : high & (1 << UInt64(symbol & 63)) != 0
  }

  func union(_ other: SymbolSet) -> SymbolSet {
    var result = self
    result.low |= other.low
    result.high |= other.high
    return result
  }

  func subtracting(_ other: SymbolSet) -> SymbolSet {
    var result = self
    result.low &= ~other.low
    result.high &= ~other.high
    return result
  }

  /// With the other case of each letter.
  var ignoringCase: SymbolSet {
    union(SymbolSet((UInt8(0)..<128).filter { contains($0) && ($0 | 0x20) &- 0x61 < 26 }.map { $0 ^ 0x20 }))
  }
}
