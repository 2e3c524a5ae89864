import Transport
import Wire

/// A request to one of the instance's own endpoints.
package struct ServiceRequest {
  package let method: String
  package let path: String
  package let query: [(name: String, value: String?)]
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]
  /// It came from this machine.
  package let isLocal: Bool

  /// The first value of a query parameter; nil when it is absent or has no value.
  package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value ?? nil }

  /// Whether a query parameter is there at all.
  package func has(_ name: String) -> Bool { query.contains { $0.name == name } }

  /// The first value of a header, by its lower-case name.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// An answer of one of the instance's own endpoints.
package struct ServiceReply {
  package var status: Int
  package var contentType: String
  package var body: [UInt8]
  package var headers: [(String, String)] = []

  package init(status: Int = 200, contentType: String = "text/plain; charset=UTF-8", body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  package static func text(_ text: String, status: Int = 200) -> ServiceReply {
    ServiceReply(status: status, body: Array(text.utf8))
  }

  package static func json(_ json: JSON, status: Int = 200) -> ServiceReply {
    ServiceReply(status: status, contentType: "application/json", body: Array((json.text() + "\n").utf8))
  }
}

/// A small HTTP/1.1 server on the control loop, for the admin, health and metrics endpoints and for the demo's
/// upstream.
package final class HTTPService: EventHandler {
  /// Answers a request, now or later.
  package typealias Handler = (ServiceRequest, @escaping (ServiceReply) -> Void) -> Void

  package let address: SocketAddress
  fileprivate let handler: Handler
  fileprivate let loop: EventLoop
  private let socket: ListeningSocket
  private let tls: TLSListenerContext?
  private let maxConnections: Int
  private var connections: [ServiceConnection] = []
  private var retryTimer = TimerID.none

  /// How long to wait when the process is out of descriptors, before trying again.
  private static let exhaustedPauseMilliseconds: Int64 = 100

  /// - Parameter maxConnections: at a time; for one more, the one that has been still for the longest is closed.
  /// - Throws: `SystemError` when the address cannot be bound.
  package init(
    loop: EventLoop, address: SocketAddress, tls: TLSListenerContext? = nil, maxConnections: Int = 64,
    handler: @escaping Handler
  ) throws {
    let socket = try ListeningSocket(address: address, isShared: false, backlog: 128)
    self.address = socket.address
    self.socket = socket
    self.loop = loop
    self.tls = tls
    self.maxConnections = maxConnections
    self.handler = handler
    super.init()
    loop.adopt(self)
    try loop.register(self.socket.descriptor, self, for: .readable)
  }

  package override func ready(_ events: ReadyEvents) {
    while true {
      switch socket.accept() {
      case .connection(let descriptor, let peer):
        guard connections.count < maxConnections || closeStillest() else {
          SystemCalls.close(descriptor)
          continue
        }
        let session = tls.map { TLSSession(accepting: $0, descriptor: descriptor) }
        if let connection = try? ServiceConnection(service: self, descriptor: descriptor, peer: peer, tls: session) {
          connections.append(connection)
        }
      case .aborted: continue
      case .none: return
      case .exhausted:
        if closeStillest() { continue }
        // The waiting connection has announced itself, and will not do so again.
        return loop.arm(&retryTimer, after: Self.exhaustedPauseMilliseconds, owner: self, tag: 1)
      }
    }
  }

  package override func timerFired(_ tag: UInt8) {
    retryTimer = .none
    ready(.readable)
  }

  /// Closes the connection that has neither asked nor taken anything for the longest; false when all are being answered.
  private func closeStillest() -> Bool {
    guard let stillest = connections.filter({ !$0.isAnswering }).min(by: { $0.lastMoved < $1.lastMoved }) else {
      return false
    }
    stillest.close()
    return true
  }

  fileprivate func closed(_ connection: ServiceConnection) {
    connections.removeAll { $0 === connection }
  }
}

/// One connection to an `HTTPService`.
private final class ServiceConnection: Connection {
  private let service: HTTPService
  private var parser = HTTP1HeadParser()
  private var head = RequestHead()
  private var chunks = ChunkedDecoder()
  private var body: [UInt8] = []
  private var remaining = 0
  private var bodyIsTooLarge = false
  private var isReadingBody = false
  fileprivate private(set) var isAnswering = false
  /// When a request or a part of its answer last went through, in milliseconds.
  fileprivate private(set) var lastMoved: Int64
  private var pending: [UInt8] = []
  private var closesAfterReply = false
  private var timer = TimerID.none

  private static let bodyLimitBytes = 4 << 20
  private static let idleMilliseconds: Int64 = 60_000

  init(service: HTTPService, descriptor: Int32, peer: SocketAddress, tls: TLSSession?) throws {
    self.service = service
    lastMoved = service.loop.now
    try super.init(loop: service.loop, descriptor: descriptor, peer: peer, tls: tls, isConnecting: false)
    armTimer()
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  private func armTimer() {
    loop.arm(&timer, after: Self.idleMilliseconds, owner: self, tag: 1)
  }

  override func inputAvailable() {
    while state == .open, !isAnswering, pending.isEmpty, step() {}
    if inputEnded, !isAnswering, pending.isEmpty, state == .open { close() }
  }

  private func step() -> Bool {
    guard !isReadingBody else { return readBody() }
    guard !input.isEmpty else { return false }
    switch withInput({ parser.parseRequest($0, into: &head, limits: HTTP1Limits()) }) {
    case .needMore:
      if input.isFull, !input.reserve(1) { refuse(.headersTooLarge) }
      return false
    case .refused(let refusal):
      refuse(refusal)
      return false
    case .complete(let consumed):
      input.consume(consumed)
      armTimer()
      beginBody()
      return true
    }
  }

  private func beginBody() {
    body = []
    bodyIsTooLarge = false
    isReadingBody = true
    chunks = ChunkedDecoder()
    if case .length(let length) = head.framing { remaining = length } else { remaining = 0 }
  }

  private func readBody() -> Bool {
    if case .chunked = head.framing { return readChunks() }
    let count = min(remaining, input.count)
    if count > 0 {
      withInput { appendBody($0.extracting(first: count)) }
      input.consume(count)
      remaining -= count
    }
    guard remaining == 0 else { return false }
    dispatch()
    return true
  }

  private func readChunks() -> Bool {
    var trailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    switch withInput({ chunks.next($0, trailers: &trailers) }) {
    case .needMore(let consumed):
      input.consume(consumed)
      if consumed == 0, input.isFull, !input.reserve(1) { refuse(.trailersTooLarge) }
      return false
    case .data(let offset, let count):
      withInput { appendBody($0.extracting(offset..<offset + count)) }
      chunks.took(count)
      input.consume(offset + count)
    case .end(let consumed):
      input.consume(consumed)
      dispatch()
    case .refused(let refusal):
      refuse(refusal)
      return false
    }
    return true
  }

  /// Answers what cannot be read on.
  private func refuse(_ refusal: HTTP1Refusal) {
    closesAfterReply = true
    answer(.text("\(refusal.detail)\n", status: refusal.status))
  }

  private func appendBody(_ span: RawSpan) {
    guard body.count + span.byteCount <= Self.bodyLimitBytes else {
      bodyIsTooLarge = true
      return
    }
    unsafe span.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
  }

  private func text(_ range: ByteRange) -> String {
    head.text(range)
  }

  private func dispatch() {
    isReadingBody = false
    isAnswering = true
    lastMoved = loop.now
    closesAfterReply = !head.isPersistent
    var headers: [(String, String)] = []
    for index in 0..<head.headers.tableCount where !head.headers.field(at: index).isRemoved {
      let field = head.headers.field(at: index)
      headers.append((text(field.name).lowercased(), text(field.value)))
    }
    let request = ServiceRequest(
      method: text(head.methodName), path: text(head.path), query: QueryText.parse(text(head.query)), headers: headers,
      body: body, isLocal: peer.isLoopback)
    head.reset()
    parser.reset()
    if bodyIsTooLarge { return answer(.text("the body is too large\n", status: 413)) }
    // The answer may come later, when this connection is gone.
    service.handler(request) { [weak self] reply in
      guard let self, self.state == .open else { return }
      self.answer(reply, isHead: request.method == "HEAD")
    }
  }

  private func answer(_ reply: ServiceReply, isHead: Bool = false) {
    isAnswering = false
    var headText = "HTTP/1.1 \(reply.status) \(StatusPhrase.text(of: reply.status))\r\n"
    // RFC 9110, 8.6: no length where there can be no content.
    let hasContent = reply.status != 204 && reply.status != 304
    if hasContent { headText += "content-type: \(reply.contentType)\r\ncontent-length: \(reply.body.count)\r\n" }
    headText += "cache-control: no-cache, max-age=0\r\nx-content-type-options: nosniff\r\n"
    for (name, value) in reply.headers { headText += "\(name): \(value)\r\n" }
    if closesAfterReply { headText += "connection: close\r\n" }
    pending = Array((headText + "\r\n").utf8) + (isHead || !hasContent ? [] : reply.body)
    pump()
  }

  private func pump() {
    var sent = 0
    while sent < pending.count {
      let rest = pending
      let accepted = send(rest.span.raw.extracting(droppingFirst: sent))
      if accepted == 0 { break }
      sent += accepted
      lastMoved = loop.now
    }
    pending.removeFirst(sent)
    guard pending.isEmpty else { return }
    if closesAfterReply { return closeAfterFlush(lingering: true) }
    if !input.isEmpty || inputEnded { loop.runAgain(self) }
  }

  override func ready(_ events: ReadyEvents) {
    super.ready(events)
    if state == .open, events.isEmpty { inputAvailable() }
  }

  override func outputDrained() {
    pump()
  }

  override func connectionClosed() {
    loop.cancel(&timer)
    service.closed(self)
  }

  override func timerFired(_ tag: UInt8) {
    guard tag == 1 else { return super.timerFired(tag) }
    timer = .none
    if isAnswering { armTimer() } else { close() }
  }
}

/// Query strings.
enum QueryText {
  static func parse(_ query: String) -> [(name: String, value: String?)] {
    query.split(separator: "&").map { part in
      guard let equals = part.firstIndex(of: "=") else { return (decode(part), nil) }
      return (decode(part[..<equals]), decode(part[part.index(after: equals)...]))
    }
  }

  private static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == 0x25, rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == 0x2B ? 0x20 : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
