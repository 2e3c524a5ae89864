/// Writes pieces one behind the other into a span. Bounds-checked: too small a span is a programming error and traps.
package struct ByteWriter {
  package private(set) var position: Int

  package init(position: Int = 0) {
    self.position = position
  }

  /// Copies `bytes`.
  package mutating func write(_ bytes: RawSpan, into output: inout MutableRawSpan) {
    let count = bytes.byteCount
    guard count > 0 else { return }
    let end = position + count
    precondition(end <= output.byteCount)
    unsafe output.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        // Both ends were checked; memcpy beats a loop of stores.
        guard let to = target.baseAddress, let from = source.baseAddress else { return }
        unsafe (to + position).copyMemory(from: from, byteCount: count)
      }
    }
    position = end
  }

  /// Copies a constant.
  package mutating func write(_ text: StaticString, into output: inout MutableRawSpan) {
    let count = text.utf8CodeUnitCount
    precondition(position + count <= output.byteCount)
    unsafe output.withUnsafeMutableBytes { target in
      guard let to = target.baseAddress else { return }
      unsafe (to + position).copyMemory(from: text.utf8Start, byteCount: count)
    }
    position += count
  }

  /// Writes one byte.
  package mutating func write(_ byte: UInt8, into output: inout MutableRawSpan) {
    output.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
    position += 1
  }

  /// Writes a decimal number.
  package mutating func write(decimal number: Int, into output: inout MutableRawSpan) {
    if number >= 0, number < 10 { return write(UInt8(truncatingIfNeeded: number) + 0x30, into: &output) }
    if number < 0 { write(0x2D, into: &output) }
    var divisor: UInt = 1
    let magnitude = number.magnitude
    while magnitude / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      write(UInt8(truncatingIfNeeded: magnitude / divisor % 10) + 0x30, into: &output)
      divisor /= 10
    }
  }

  /// Writes a status of three digits.
  mutating func write(status: Int, into output: inout MutableRawSpan) {
    write(UInt8(truncatingIfNeeded: status / 100 % 10) + 0x30, into: &output)
    write(UInt8(truncatingIfNeeded: status / 10 % 10) + 0x30, into: &output)
    write(UInt8(truncatingIfNeeded: status % 10) + 0x30, into: &output)
  }

  /// Writes `digits` decimal digits with leading zeros.
  package mutating func write(decimal number: Int, digits: Int, into output: inout MutableRawSpan) {
    var divisor = 1
    for _ in 1..<max(1, digits) { divisor *= 10 }
    while divisor > 0 {
      write(UInt8(truncatingIfNeeded: number / divisor % 10) + 0x30, into: &output)
      divisor /= 10
    }
  }

  /// Writes a hexadecimal number in lower case.
  package mutating func write(hexadecimal number: Int, into output: inout MutableRawSpan) {
    var shift = (63 - UInt(max(1, number)).leadingZeroBitCount) / 4 * 4
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: (number >> shift) & 15)
      write(digit < 10 ? digit + 0x30 : digit + 0x57, into: &output)
      shift -= 4
    }
  }
}
