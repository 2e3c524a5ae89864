/// The chunked coding (RFC 9112, section 7.1), strictly: sizes without sign, prefix or padding; CRLF only; extensions
/// are bounded and dropped; trailers are parsed like fields.
package struct ChunkedDecoder {
  /// What the next bytes are.
  package enum Event {
    /// `consumed` bytes were framing; more input is needed.
    case needMore(consumed: Int)
    /// `count` bytes of payload begin at `offset`, behind framing. `took` says how many of them were used.
    case data(offset: Int, count: Int)
    /// The body is complete, trailers included.
    case end(consumed: Int)
    case refused(HTTP1Refusal)
  }

  private enum State: UInt8 {
    case size, data, dataEnd, trailers
  }

  private var state = State.size
  private var remaining = 0
  private var trailerBytes = 0

  /// A size line, extensions included.
  private static let maxSizeLineBytes = 256
  private static let maxTrailerBytes = 16 * 1024
  private static let maxTrailerCount = 64

  package init() {}

  /// Looks at the next bytes. Nothing of a `data` event is consumed before `took`.
  package mutating func next(_ input: RawSpan, trailers: inout HeaderBlock) -> Event {
    let bytes = input.octets
    var position = 0
    while true {
      switch state {
      case .size:
        switch readSize(bytes, at: position) {
        case .line(let size, let next):
          position = next
          remaining = size
          state = size == 0 ? .trailers : .data
        case .incomplete: return .needMore(consumed: position)
        case .refused(let refusal): return .refused(refusal)
        }
      case .data:
        let available = min(remaining, bytes.count - position)
        return available > 0 ? .data(offset: position, count: available) : .needMore(consumed: position)
      case .dataEnd:
        guard position + 2 <= bytes.count else {
          if position < bytes.count, bytes[position] != Octet.carriageReturn { return .refused(.malformedChunkEnd) }
          return .needMore(consumed: position)
        }
        guard bytes[position] == Octet.carriageReturn, bytes[position + 1] == Octet.lineFeed else {
          return .refused(.malformedChunkEnd)
        }
        position += 2
        state = .size
      case .trailers: return readTrailers(input, from: position, into: &trailers)
      }
    }
  }

  /// `count` bytes of the payload that `next` announced were used.
  package mutating func took(_ count: Int) {
    remaining -= count
    if remaining == 0 { state = .dataEnd }
  }

  // MARK: Size lines

  private enum SizeLine {
    case line(size: Int, next: Int)
    case incomplete
    case refused(HTTP1Refusal)
  }

  private func readSize(_ bytes: Span<UInt8>, at start: Int) -> SizeLine {
    var index = start
    var size = 0
    while index < bytes.count, let digit = Octet.hexadecimal(bytes[index]) {
      // 15 digits keep the sum below 2^60; leading zeros count too.
      guard index - start < 15 else { return .refused(.malformedChunkSize) }
      size = size << 4 | Int(digit)
      index += 1
    }
    guard index < bytes.count else { return index - start > 15 ? .refused(.malformedChunkSize) : .incomplete }
    guard index > start else { return .refused(.malformedChunkSize) }
    return readSizeLineEnd(bytes, at: index, start: start, size: size)
  }

  private func readSizeLineEnd(_ bytes: Span<UInt8>, at position: Int, start: Int, size: Int) -> SizeLine {
    var index = position
    if bytes[index] == 0x3B {
      while index < bytes.count, Octet.isFieldValue(bytes[index]) { index += 1 }
      guard index - start <= Self.maxSizeLineBytes else { return .refused(.chunkExtensionTooLong) }
      guard index < bytes.count else { return .incomplete }
    }
    guard bytes[index] == Octet.carriageReturn else { return .refused(.malformedChunkSize) }
    guard index + 1 < bytes.count else { return .incomplete }
    guard bytes[index + 1] == Octet.lineFeed else { return .refused(.malformedChunkSize) }
    return .line(size: size, next: index + 2)
  }

  // MARK: Trailers

  private mutating func readTrailers(_ input: RawSpan, from start: Int, into trailers: inout HeaderBlock) -> Event {
    let bytes = input.octets
    var position = start
    while true {
      switch FieldLineParser.parse(bytes, at: position) {
      case .field(let name, let value, let next):
        trailerBytes += next - position
        guard trailerBytes <= Self.maxTrailerBytes, trailers.count < Self.maxTrailerCount else {
          return .refused(.trailersTooLarge)
        }
        let token = HeaderName.resolve(input.extracting(name.range))
        if token.isAllowedInTrailers {
          trailers.append(name: input.extracting(name.range), value: input.extracting(value.range))
        }
        position = next
      case .end(let next): return .end(consumed: next)
      case .incomplete:
        guard bytes.count - position <= Self.maxTrailerBytes else { return .refused(.trailersTooLarge) }
        return .needMore(consumed: position)
      case .refused(let refusal): return .refused(refusal)
      }
    }
  }
}

extension HeaderName {
  /// Fields that frame or route a message have no business behind it (RFC 9110, section 6.5.1): they are dropped.
  var isAllowedInTrailers: Bool {
    switch self {
    case .host, .connection, .contentLength, .transferEncoding, .te, .trailer, .upgrade, .expect, .keepAlive,
      .proxyConnection, .authorization, .cookie, .setCookie, .xForwardedFor, .xForwardedProto, .xForwardedHost,
      .xForwardedPort, .xForwardedClientCert, .xRequestID:
      return false
    default: return !isEnvoyHeader
    }
  }
}
