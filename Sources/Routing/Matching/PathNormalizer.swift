import Wire

/// Brings a path into the one form that is matched and forwarded, so that `/a/../admin` and `/admin` are the same to
/// every rule and policy (Istio's `pathNormalization`).
package enum PathNormalizer {
  /// What became of a path.
  package enum Outcome: Equatable {
    /// It was in the right form already: the common case, found in one pass.
    case unchanged
    case changed([UInt8])
    /// It cannot be normalised without being misunderstood: `%00`, or `..` above the root.
    case refused
  }

  /// Normalises `path`, which has no query.
  package static func normalize(_ path: RawSpan, _ mode: InstanceSettings.PathNormalization) -> Outcome {
    guard mode != .none, needsWork(path, mode) else { return .unchanged }
    var bytes = Snapshot.copy(path)
    if mode == .decodeAndMergeSlashes { bytes = decodeSlashes(bytes) }
    guard let decoded = decodeUnreserved(bytes) else { return .refused }
    bytes = decoded.map { $0 == 0x5C ? 0x2F : $0 }
    if mode == .mergeSlashes || mode == .decodeAndMergeSlashes { bytes = mergeSlashes(bytes) }
    guard let result = removeDotSegments(bytes) else { return .refused }
    return path.equals(result.span.raw) ? .unchanged : .changed(result)
  }

  private static func needsWork(_ path: RawSpan, _ mode: InstanceSettings.PathNormalization) -> Bool {
    let bytes = path.octets
    var previous: UInt8 = 0
    for index in 0..<bytes.count {
      let byte = bytes[index]
      if byte == 0x25 || byte == 0x5C { return true }
      if previous == 0x2F, byte == 0x2E || (byte == 0x2F && mode != .base) { return true }
      previous = byte
    }
    return false
  }

  /// Decodes `%2F` and `%5C`.
  private static func decodeSlashes(_ bytes: [UInt8]) -> [UInt8] {
    decode(bytes) { $0 == 0x2F || $0 == 0x5C } ?? bytes
  }

  /// Decodes what need not be encoded (RFC 3986, section 6.2.2.2); nil for `%00`.
  private static func decodeUnreserved(_ bytes: [UInt8]) -> [UInt8]? {
    decode(bytes) { byte in
      (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x2E || byte == 0x5F || byte == 0x7E
    }
  }

  private static func decode(_ bytes: [UInt8], _ wanted: (UInt8) -> Bool) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25, index + 2 < bytes.count, let high = digit(bytes[index + 1]),
        let low = digit(bytes[index + 2])
      {
        let byte = high << 4 | low
        if byte == 0 { return nil }
        if wanted(byte) {
          result.append(byte)
          index += 3
          continue
        }
      }
      result.append(bytes[index])
      index += 1
    }
    return result
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: return byte - 0x30
    case 0x41...0x46: return byte - 0x37
    case 0x61...0x66: return byte - 0x57
    default: return nil
    }
  }

  private static func mergeSlashes(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes where !(byte == 0x2F && result.last == 0x2F) { result.append(byte) }
    return result
  }

  /// RFC 3986, section 5.2.4; nil when `..` leads above the root.
  private static func removeDotSegments(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.first == 0x2F else { return bytes }
    var segments: [ArraySlice<UInt8>] = []
    let parts = bytes.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      if part.elementsEqual([0x2E]) {
        if isLast { segments.append([]) }
      } else if part.elementsEqual([0x2E, 0x2E]) {
        guard segments.popLast() != nil else { return nil }
        if isLast { segments.append([]) }
      } else {
        segments.append(part)
      }
    }
    return segments.reduce(into: []) { $0 += [0x2F] + $1 }
  }
}
