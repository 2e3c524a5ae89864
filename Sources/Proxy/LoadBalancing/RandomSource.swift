import CLinux

/// A worker's random numbers for balancing and request ids: xoshiro256**, seeded by the kernel. Not for secrets.
package struct RandomSource: RandomNumberGenerator {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Seeded by the kernel.
  package init() {
    var system = SystemRandomNumberGenerator()
    self.init(seed: (system.next(), system.next(), system.next(), system.next() | 1))
  }

  /// Seeded by the caller, for tests.
  package init(seed: (UInt64, UInt64, UInt64, UInt64)) {
    state = seed
  }

  package mutating func next() -> UInt64 {
    let result = Self.rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotate(state.3, 45)
    return result
  }

  /// A number below `bound`, with a bias that does not matter for balancing.
  package mutating func below(_ bound: Int) -> Int {
    Int((UInt64(UInt32(truncatingIfNeeded: next())) &* UInt64(bound)) >> 32)
  }

  /// Writes a random UUID (RFC 9562, version 4), 36 bytes; returns the length.
  mutating func writeUUID(into output: inout MutableRawSpan) -> Int {
    var high = next()
    var low = next()
    high = (high & ~0xF000) | 0x4000
    low = (low & ~(3 << 62)) | (2 << 62)
    var position = 0
    for digit in 0..<32 {
      if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
        output.storeBytes(of: 0x2D, toByteOffset: position, as: UInt8.self)
        position += 1
      }
      let word = digit < 16 ? high : low
      let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - (digit & 15) * 4)) & 15
      output.storeBytes(of: nibble < 10 ? nibble + 0x30 : nibble + 0x57, toByteOffset: position, as: UInt8.self)
      position += 1
    }
    return position
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value << bits) | (value >> (64 - bits))
  }
}
