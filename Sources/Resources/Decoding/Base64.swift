/// RFC 4648, section 4. Line breaks, as in folded secrets, are skipped.
package enum Base64 {
  /// The bytes, nil for what is not base64.
  package static func decode(_ text: String) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count * 3 / 4)
    var bits: UInt32 = 0
    var count = 0
    var padding = 0
    for byte in text.utf8 {
      if byte == 0x0A || byte == 0x0D || byte == 0x20 { continue }
      if byte == 0x3D {
        padding += 1
        continue
      }
      guard padding == 0, let value = value(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 1
      if count == 4 {
        result += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        bits = 0
        count = 0
      }
    }
    switch count {
    case 0: return padding == 0 ? result : nil
    case 2: return padding == 2 || padding == 0 ? result + [UInt8(bits >> 4 & 255)] : nil
    case 3: return padding <= 1 ? result + [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)] : nil
    default: return nil
    }
  }

  private static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case 0x41...0x5A: return byte - 0x41
    case 0x61...0x7A: return byte - 0x61 + 26
    case 0x30...0x39: return byte - 0x30 + 52
    case 0x2B: return 62
    case 0x2F: return 63
    default: return nil
    }
  }
}
