import Wire

/// Takes a body off an HTTP/1 connection, in the framing that its head announced.
struct HTTP1BodyReader {
  /// What the next bytes are.
  enum Step {
    /// Nothing to hand on; `consumed` bytes were framing.
    case needMore(consumed: Int)
    /// `count` body bytes begin at `offset`; framing lies before. Say with `took` how many were used.
    case data(offset: Int, count: Int)
    /// The body is complete.
    case end(consumed: Int)
    case refused(HTTP1Refusal)
  }

  private var framing = BodyFraming.none
  private var remaining = 0
  private var chunks = ChunkedDecoder()

  /// Begins a body.
  mutating func begin(_ framing: BodyFraming) {
    self.framing = framing
    switch framing {
    case .length(let length): remaining = length
    case .chunked: chunks = ChunkedDecoder()
    case .none, .untilClose: break
    }
  }

  /// There is no body, or nothing of it is missing.
  var isComplete: Bool {
    switch framing {
    case .none: return true
    case .length: return remaining == 0
    case .chunked, .untilClose: return false
    }
  }

  /// The body ends where the connection ends.
  var endsWithInput: Bool {
    if case .untilClose = framing { return true }
    return false
  }

  /// Looks at the next bytes; consumes nothing itself.
  mutating func next(_ input: RawSpan, trailers: inout HeaderBlock) -> Step {
    switch framing {
    case .none: return .end(consumed: 0)
    case .length:
      if remaining == 0 { return .end(consumed: 0) }
      return input.isEmpty ? .needMore(consumed: 0) : .data(offset: 0, count: min(remaining, input.byteCount))
    case .untilClose:
      return input.isEmpty ? .needMore(consumed: 0) : .data(offset: 0, count: input.byteCount)
    case .chunked:
      switch chunks.next(input, trailers: &trailers) {
      case .needMore(let consumed): return .needMore(consumed: consumed)
      case .data(let offset, let count): return .data(offset: offset, count: count)
      case .end(let consumed): return .end(consumed: consumed)
      case .refused(let refusal): return .refused(refusal)
      }
    }
  }

  /// `count` of the bytes that `next` announced were used. Returns how many bytes of the input to consume.
  mutating func took(_ count: Int, at offset: Int) -> Int {
    switch framing {
    case .length: remaining -= count
    case .chunked: chunks.took(count)
    case .none, .untilClose: break
    }
    return offset + count
  }
}
