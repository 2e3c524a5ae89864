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
    // Later pieces overwrite what earlier, wider ones wrote beyond their end.
    Self.put(Self.hexadecimal(UInt32(truncatingIfNeeded: high >> 32)), at: 0, &output)
    let second = Self.hexadecimal(UInt32(truncatingIfNeeded: high))
    Self.put(second, at: 9, &output)
    Self.put(second >> 32, at: 14, &output)
    let third = Self.hexadecimal(UInt32(truncatingIfNeeded: low >> 32))
    Self.put(third, at: 19, &output)
    Self.put(third >> 32, at: 24, &output)
    Self.put(Self.hexadecimal(UInt32(truncatingIfNeeded: low)), at: 28, &output)
    output.storeBytes(of: 0x2D, toByteOffset: 8, as: UInt8.self)
    output.storeBytes(of: 0x2D, toByteOffset: 13, as: UInt8.self)
    output.storeBytes(of: 0x2D, toByteOffset: 18, as: UInt8.self)
    output.storeBytes(of: 0x2D, toByteOffset: 23, as: UInt8.self)
    return 36
  }

  private static func put(_ digits: UInt64, at offset: Int, _ output: inout MutableRawSpan) {
    output.storeBytes(of: digits.littleEndian, toByteOffset: offset, as: UInt64.self)
  }

  /// Eight hexadecimal digits in the order in which they are written, lowest byte first: all at once instead of one by
  /// one.
  private static func hexadecimal(_ value: UInt32) -> UInt64 {
    var spread = UInt64(value.byteSwapped)
    spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
    spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
    // Each byte becomes two nibbles, the high one first.
    spread = ((spread & 0x00F0_00F0_00F0_00F0) >> 4) | ((spread & 0x000F_000F_000F_000F) << 8)
    let isLetter = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    return spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 0x27
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value << bits) | (value >> (64 - bits))
  }
}
