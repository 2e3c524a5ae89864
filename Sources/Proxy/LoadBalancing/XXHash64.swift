import Wire

/// xxHash64, the hash that Envoy balances with.
enum XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 { hash(bytes.span.raw, seed: seed) }

  static func hash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
    let count = bytes.byteCount
    var position = 0
    var result: UInt64
    if count >= 32 {
      var lanes = (seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1)
      while position + 32 <= count {
        lanes.0 = round(lanes.0, word(bytes, position))
        lanes.1 = round(lanes.1, word(bytes, position + 8))
        lanes.2 = round(lanes.2, word(bytes, position + 16))
        lanes.3 = round(lanes.3, word(bytes, position + 24))
        position += 32
      }
      result = rotate(lanes.0, 1) &+ rotate(lanes.1, 7) &+ rotate(lanes.2, 12) &+ rotate(lanes.3, 18)
      result = merge(merge(merge(merge(result, lanes.0), lanes.1), lanes.2), lanes.3)
    } else {
      result = seed &+ prime5
    }
    result &+= UInt64(count)
    while position + 8 <= count {
      result = rotate(result ^ round(0, word(bytes, position)), 27) &* prime1 &+ prime4
      position += 8
    }
    if position + 4 <= count {
      result = rotate(result ^ (half(bytes, position) &* prime1), 23) &* prime2 &+ prime3
      position += 4
    }
    while position < count {
      result = rotate(result ^ (UInt64(byte(bytes, position)) &* prime5), 11) &* prime1
      position += 1
    }
    return avalanche(result)
  }

  private static func avalanche(_ value: UInt64) -> UInt64 {
    var value = (value ^ (value >> 33)) &* prime2
    value = (value ^ (value >> 29)) &* prime3
    return value ^ (value >> 32)
  }

  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  private static func merge(_ result: UInt64, _ lane: UInt64) -> UInt64 {
    (result ^ round(0, lane)) &* prime1 &+ prime4
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value << bits) | (value >> (64 - bits))
  }

  private static func byte(_ bytes: RawSpan, _ index: Int) -> UInt8 {
    bytes.octets[index]
  }

  private static func half(_ bytes: RawSpan, _ index: Int) -> UInt64 {
    var value: UInt64 = 0
    for offset in 0..<4 { value |= UInt64(byte(bytes, index + offset)) << UInt64(offset * 8) }
    return value
  }

  private static func word(_ bytes: RawSpan, _ index: Int) -> UInt64 {
    half(bytes, index) | half(bytes, index + 4) << 32
  }
}
