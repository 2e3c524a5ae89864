/// Parses the head of a request or response (RFC 9112, sections 2 to 6), strictly: what two parsers could read
/// differently is refused, not repaired.
///
/// The parser is fed the same growing input until the head is complete, and remembers how far it came: complete lines
/// are parsed once, and an incomplete line is looked at again only when its end has arrived.
package struct HTTP1HeadParser {
  /// The state of a head.
  package enum Progress {
    case needMore
    /// The head is complete and took so many bytes of the input.
    case complete(consumed: Int)
    case refused(HTTP1Refusal)
  }

  private var position = 0
  private var seen = 0
  private var startLineDone = false
  private var fields = FramingFields()
  private var lineStart = 0

  package init() {}

  /// Begins a new message.
  package mutating func reset() {
    self = HTTP1HeadParser()
  }

  // MARK: Requests

  /// Parses a request head at the beginning of `input`.
  package mutating func parseRequest(
    _ input: RawSpan, into head: inout RequestHead, limits: HTTP1Limits
  ) -> Progress {
    let bytes = input.octets
    guard hasNewLine(bytes) else { return incomplete(bytes.count, limits) }
    if !startLineDone {
      if let refusal = parseRequestLine(bytes, &head, limits) { return .refused(refusal) }
      guard startLineDone else { return incomplete(bytes.count, limits) }
    }
    switch parseFields(input, into: &head.headers, limits: limits) {
    case .needMore: return incomplete(bytes.count, limits)
    case .refused(let refusal): return .refused(refusal)
    case .complete(let consumed):
      if let refusal = finishRequest(input.extracting(first: consumed), &head) { return .refused(refusal) }
      return .complete(consumed: consumed)
    }
  }

  /// Parses the request line if it is complete.
  private mutating func parseRequestLine(
    _ bytes: Span<UInt8>, _ head: inout RequestHead, _ limits: HTTP1Limits
  ) -> HTTP1Refusal? {
    // RFC 9112, section 2.2: one empty line before a request is tolerated.
    if lineStart == 0, bytes.count >= 2, bytes[0] == Octet.carriageReturn, bytes[1] == Octet.lineFeed { lineStart = 2 }
    var index = lineStart
    while index < bytes.count, Octet.isToken(bytes[index]) { index += 1 }
    guard index < bytes.count else { return nil }
    guard bytes[index] == Octet.space, index > lineStart else { return .malformedMethod }
    head.methodName = ByteRange(offset: lineStart, count: index - lineStart)
    let targetStart = index + 1
    index = targetStart
    index = ByteScan.endOfTarget(bytes, from: index)
    guard index < bytes.count else { return index - lineStart > limits.maxRequestLineBytes ? .requestLineTooLong : nil }
    guard bytes[index] == Octet.space else {
      return bytes[index] == Octet.carriageReturn || bytes[index] == Octet.lineFeed
        ? .malformedRequestLine : .malformedTarget
    }
    guard index > targetStart else { return .malformedRequestLine }
    guard index - lineStart <= limits.maxRequestLineBytes else { return .requestLineTooLong }
    head.target = ByteRange(offset: targetStart, count: index - targetStart)
    return parseVersion(bytes, at: index + 1, &head)
  }

  private mutating func parseVersion(_ bytes: Span<UInt8>, at start: Int, _ head: inout RequestHead) -> HTTP1Refusal? {
    guard start + 10 <= bytes.count else {
      // Incomplete, unless the line has ended already.
      if bytes.count == start + 9, bytes[start + 8] == Octet.lineFeed, Self.version(bytes, at: start) != nil {
        return .bareLineFeed
      }
      for index in start..<bytes.count where bytes[index] == Octet.lineFeed { return .malformedVersion }
      return nil
    }
    guard let version = Self.version(bytes, at: start) else { return Self.badVersion(bytes, at: start) }
    guard bytes[start + 8] == Octet.carriageReturn else {
      return bytes[start + 8] == Octet.lineFeed ? .bareLineFeed : .malformedRequestLine
    }
    guard bytes[start + 9] == Octet.lineFeed else { return .bareCarriageReturn }
    head.version = version
    startLineDone = true
    position = start + 10
    return nil
  }

  /// `HTTP/1.0` or `HTTP/1.1` at `start`; eight bytes must be there.
  private static func version(_ bytes: Span<UInt8>, at start: Int) -> HTTPVersion? {
    switch bytes.raw.word(at: start) {
    case 0x312E_312F_5054_5448: return .http11  // "HTTP/1.1", the first byte lowest
    case 0x302E_312F_5054_5448: return .http10
    default: return nil
    }
  }

  private static func badVersion(_ bytes: Span<UInt8>, at start: Int) -> HTTP1Refusal {
    let prefix: StaticString = "HTTP/"
    for index in 0..<5 where unsafe bytes[start + index] != prefix.utf8Start[index] { return .malformedVersion }
    let isWellFormed = Octet.isDigit(bytes[start + 5]) && bytes[start + 6] == 0x2E && Octet.isDigit(bytes[start + 7])
    return isWellFormed ? .unsupportedVersion : .malformedVersion
  }

  private func finishRequest(_ input: RawSpan, _ head: inout RequestHead) -> HTTP1Refusal? {
    internLines(input, &head.headers)
    head.method = .resolve(head.bytes(head.methodName))
    switch fields.requestFraming(head.version) {
    case .success(let framing): head.framing = framing
    case .failure(let refusal): return refusal
    }
    head.isPersistent = head.version == .http11 ? !fields.saysClose : fields.saysKeepAlive && !fields.saysClose
    head.expectsContinue = fields.expectsContinue && head.version == .http11
    // With a body it is ignored, as RFC 9110, section 7.8 allows: where the new protocol would begin, readers differ.
    head.wantsUpgrade = fields.saysUpgrade && fields.hasUpgrade && head.framing == .none && head.version == .http11
    if head.wantsUpgrade { head.upgrade = head.headers.value(of: .upgrade) }
    head.hasNominatedFields = fields.nominatesFields
    return head.method == .connect ? finishConnect(&head) : resolveTarget(&head)
  }

  /// CONNECT asks for a tunnel to `host:port` (RFC 9110, section 9.3.6; RFC 9112, section 3.2.3). What follows on the
  /// connection may be meant for the tunnel: without one, nothing of it is a request.
  private func finishConnect(_ head: inout RequestHead) -> HTTP1Refusal? {
    guard head.framing == .none else { return .connectWithBody }
    guard fields.hostCount <= 1 else { return .repeatedHost }
    guard fields.hostCount == 1 || head.version == .http10 else { return .missingHost }
    guard Authority.isValidTarget(head.bytes(head.target)) else { return .malformedConnectTarget }
    head.authority = head.target
    head.headers.setValueOfHost(head.target)
    head.isPersistent = false
    head.wantsUpgrade = true
    head.upgrade = .empty
    return nil
  }

  /// The four forms of a request target (RFC 9112, section 3.2).
  private func resolveTarget(_ head: inout RequestHead) -> HTTP1Refusal? {
    guard fields.hostCount <= 1 else { return .repeatedHost }
    guard fields.hostCount == 1 || head.version == .http10 else { return .missingHost }
    head.authority = head.headers.value(of: .host)
    let first = head.bytes(head.target).octets[0]
    if first == 0x2F {
      head.splitTarget()
    } else if first == 0x2A, head.target.count == 1, head.method == .options {
      head.path = head.target
    } else if let refusal = splitAbsoluteTarget(&head) {
      return refusal
    }
    let mayBeEmpty = head.version == .http10 && fields.hostCount == 0
    if mayBeEmpty, head.authority.isEmpty { return nil }
    return Authority.isValid(head.bytes(head.authority)) ? nil : .malformedHost
  }

  /// An absolute target wins over `Host`, which is rewritten from it (RFC 9112, section 3.2.2).
  private func splitAbsoluteTarget(_ head: inout RequestHead) -> HTTP1Refusal? {
    guard let parts = Self.absoluteParts(head.bytes(head.target)) else { return .malformedTarget }
    let base = head.target.start
    let end = Int(head.target.count)
    let authority = ByteRange(offset: base + parts.authority.lowerBound, count: parts.authority.count)
    let rest = ByteRange(offset: base + parts.authority.upperBound, count: end - parts.authority.upperBound)
    if parts.hasPath {
      head.target = rest
      head.splitTarget()
    } else {
      rootTarget(&head, query: rest)
    }
    head.headers.setValueOfHost(authority)
    head.authority = authority
    return nil
  }

  /// Where the authority of an absolute target lies, and whether a path follows; nil for other schemes.
  private static func absoluteParts(_ target: RawSpan) -> (authority: Range<Int>, hasPath: Bool)? {
    let isHTTP = target.hasPrefixIgnoringCase("http://")
    guard isHTTP || target.hasPrefixIgnoringCase("https://") else { return nil }
    let bytes = target.octets
    let start = isHTTP ? 7 : 8
    var end = start
    while end < bytes.count, bytes[end] != 0x2F, bytes[end] != 0x3F, bytes[end] != 0x23 { end += 1 }
    return (start..<end, end < bytes.count && bytes[end] == 0x2F)
  }

  private func rootTarget(_ head: inout RequestHead, query rest: ByteRange) {
    let start = head.headers.byteCount
    _ = head.headers.intern("/")
    _ = head.headers.internCopy(rest)
    head.target = ByteRange(offset: start, count: 1 + Int(rest.count))
    head.splitTarget()
  }

  // MARK: Responses

  /// Parses a response head at the beginning of `input`.
  ///
  /// - Parameter requestMethod: the method of the request it answers; it decides whether there is a body.
  package mutating func parseResponse(
    _ input: RawSpan, requestMethod: HTTPMethod, into head: inout ResponseHead, limits: HTTP1Limits
  ) -> Progress {
    let bytes = input.octets
    guard hasNewLine(bytes) else { return incomplete(bytes.count, limits) }
    if !startLineDone {
      if let refusal = parseStatusLine(bytes, &head) { return .refused(refusal) }
      guard startLineDone else { return incomplete(bytes.count, limits) }
    }
    switch parseFields(input, into: &head.headers, limits: limits) {
    case .needMore: return incomplete(bytes.count, limits)
    case .refused(let refusal): return .refused(refusal)
    case .complete(let consumed):
      internLines(input.extracting(first: consumed), &head.headers)
      switch fields.responseFraming(status: head.status, requestMethod: requestMethod, head.version) {
      case .success(let framing): head.framing = framing
      case .failure(let refusal): return .refused(refusal)
      }
      head.hasNominatedFields = fields.nominatesFields
      head.isPersistent =
        head.framing != .untilClose
        && (head.version == .http11 ? !fields.saysClose : fields.saysKeepAlive && !fields.saysClose)
      return .complete(consumed: consumed)
    }
  }

  private mutating func parseStatusLine(_ bytes: Span<UInt8>, _ head: inout ResponseHead) -> HTTP1Refusal? {
    guard bytes.count >= 14 else { return .malformedStatusLine }
    guard let version = Self.version(bytes, at: 0), bytes[8] == Octet.space else { return .malformedStatusLine }
    var status = 0
    for index in 9..<12 {
      guard Octet.isDigit(bytes[index]) else { return .malformedStatusLine }
      status = status * 10 + Int(bytes[index] - 0x30)
    }
    guard status >= 100 else { return .malformedStatusLine }
    var index = 12
    let hasReason = bytes[12] == Octet.space
    guard hasReason || bytes[12] == Octet.carriageReturn else { return .malformedStatusLine }
    if hasReason { index = 13 }
    let reasonStart = index
    index = ByteScan.endOfFieldValue(bytes, from: index)
    guard index < bytes.count else { return nil }
    guard bytes[index] == Octet.carriageReturn else { return .malformedStatusLine }
    guard index + 1 < bytes.count else { return nil }
    guard bytes[index + 1] == Octet.lineFeed else { return .bareCarriageReturn }
    head.version = version
    head.status = status
    head.reason = ByteRange(offset: reasonStart, count: index - reasonStart)
    startLineDone = true
    position = index + 2
    return nil
  }

  // MARK: Fields

  private mutating func parseFields(
    _ input: RawSpan, into headers: inout HeaderBlock, limits: HTTP1Limits
  ) -> Progress {
    let bytes = input.octets
    while true {
      switch FieldLineParser.parse(bytes, at: position) {
      case .field(let name, let value, let next):
        guard next <= limits.maxHeaderBytes else { return .refused(.headersTooLarge) }
        guard headers.tableCount < limits.maxHeaderCount else { return .refused(.tooManyHeaders) }
        let token = HeaderName.resolve(input.extracting(name.range))
        if token != .other, let refusal = fields.record(token, input.extracting(value.range)) {
          return .refused(refusal)
        }
        // ": " between name and value, so that the line can be copied as it is.
        let isWholeLine = value.start == name.end + 2 && value.end + 2 == next
        headers.addParsed(name: name, value: value, token: token, lineEnd: isWholeLine ? next : 0)
        position = next
      case .end(let next):
        guard next <= limits.maxHeaderBytes else { return .refused(.headersTooLarge) }
        return .complete(consumed: next)
      case .incomplete: return .needMore
      case .refused(let refusal): return .refused(refusal)
      }
    }
  }

  /// Takes over the bytes of a head without the empty line at its end, so that lines which are added later follow the
  /// last one and leave with it in one piece.
  @inline(__always)
  private func internLines(_ head: RawSpan, _ headers: inout HeaderBlock) {
    _ = headers.intern(head.extracting(first: head.byteCount &- 2))
  }

  /// Whether a line end came since the last call: else nothing new can be said.
  private mutating func hasNewLine(_ bytes: Span<UInt8>) -> Bool {
    let start = seen
    seen = bytes.count
    // A message without a body ends in one.
    if start < seen, bytes[seen &- 1] == Octet.lineFeed { return true }
    return ByteScan.lineFeed(bytes, from: start) < seen
  }

  private func incomplete(_ count: Int, _ limits: HTTP1Limits) -> Progress {
    if !startLineDone, count > limits.maxRequestLineBytes + 2 { return .refused(.requestLineTooLong) }
    return count > limits.maxHeaderBytes ? .refused(.headersTooLarge) : .needMore
  }
}
