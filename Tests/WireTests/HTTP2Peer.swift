@testable import Wire

/// One end of an HTTP/2 connection in memory: keeps the bodies that it sends, and what came.
final class HTTP2Peer {
  /// What came on a stream.
  struct Arrival {
    var method = ""
    var path = ""
    var authority = ""
    var statuses: [Int] = []
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var trailers: [String: String] = [:]
    var hasEnded = false
    var closedWith: HTTP2ErrorCode?
  }

  let session: HTTP2Session
  /// By stream number.
  private(set) var arrivals: [Int32: Arrival] = [:]
  private(set) var streams: [Int32] = []
  private(set) var slots: [Int32: Int32] = [:]
  private(set) var failure: String?
  private(set) var sawGoAway = false
  private(set) var unread: [Int32: Int] = [:]
  /// Bytes of bodies are used as they come; else `read` says when.
  var readsAtOnce = true
  private var bodies: [Int32: [UInt8]] = [:]

  init(_ role: HTTP2Session.Role, settings: HTTP2Settings = HTTP2Settings()) {
    session = HTTP2Session(role, settings: settings)
  }

  // MARK: Sending

  /// Sends a request; returns its slot.
  func request(_ method: String = "GET", _ path: String = "/", fields: [(String, String)] = [], ends: Bool = true)
    -> Int32
  {
    var head = RequestHead()
    head.methodName = head.headers.intern(Array(method.utf8).span.raw)
    head.method = .resolve(Array(method.utf8).span.raw)
    head.target = head.headers.intern(Array(path.utf8).span.raw)
    head.authority = head.headers.intern(Array("h.example".utf8).span.raw)
    for (name, value) in fields {
      head.headers.append(name: Array(name.utf8).span.raw, value: Array(value.utf8).span.raw)
    }
    return session.submit(head, isHTTPS: false, endsStream: ends)
  }

  func respond(_ status: Int, slot: Int32, fields: [(String, String)] = [], ends: Bool = true) {
    var head = ResponseHead()
    head.status = status
    for (name, value) in fields {
      head.headers.append(name: Array(name.utf8).span.raw, value: Array(value.utf8).span.raw)
    }
    if status < 200 {
      session.submitInformational(head, slot: slot)
    } else {
      session.submit(head, slot: slot, endsStream: ends)
    }
  }

  func send(_ bytes: [UInt8], slot: Int32) {
    bodies[slot, default: []] += bytes
    session.offer(bytes.count, slot: slot)
  }

  func end(slot: Int32, trailers: [(String, String)] = []) {
    var block = HeaderBlock(byteCapacity: 64, fieldCapacity: 4)
    for (name, value) in trailers {
      block.append(name: Array(name.utf8).span.raw, value: Array(value.utf8).span.raw)
    }
    session.endBody(slot: slot, trailers: block)
  }

  /// The bytes that the session sends now, at most about `limit`.
  func output(limit: Int = .max) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      switch session.nextOutput() {
      case .none: return closeFinished(bytes)
      case .failed: fatalError("the session cannot send")
      case .bytes: session.withOutput { span in bytes += (0..<span.byteCount).map { span.octets[$0] } }
      case .data(let slot, let count):
        var header = [UInt8](repeating: 0, count: 9)
        var span = header.mutableSpan
        var raw = unsafe span.mutableBytes
        precondition(session.writeDataHeader(into: &raw) == 9)
        bytes += header
        bytes += bodies[slot, default: []].prefix(count)
        bodies[slot]?.removeFirst(count)
      }
    }
    return closeFinished(bytes)
  }

  /// Sending may end streams as well.
  private func closeFinished(_ bytes: [UInt8]) -> [UInt8] {
    handleEvents([])
    return bytes
  }

  // MARK: Receiving

  func receive(_ bytes: [UInt8]) {
    let progress = session.receive(bytes.span.raw)
    if case .failed(let reason) = progress { failure = reason }
    handleEvents(bytes)
    if case .paused(let count) = progress { receive(Array(bytes.dropFirst(count))) }
  }

  /// Uses what waits of a body.
  func read(slot: Int32, stream: Int32) {
    session.consumed(unread[stream, default: 0], slot: slot)
    unread[stream] = 0
  }

  private func handleEvents(_ input: [UInt8]) {
    for index in 0..<session.eventCount { handle(session.event(at: index), input) }
    session.clearEvents()
  }

  private func handle(_ event: HTTP2Event, _ input: [UInt8]) {
    let id = event.streamID
    var arrival = arrivals[id] ?? Arrival()
    switch event.kind {
    case .settings: return
    case .goAway:
      sawGoAway = true
      return
    case .head: takeHead(event, &arrival)
    case .headTooLarge:
      session.discard(event)
      arrival.statuses.append(431)
    case .data:
      arrival.body += input[Int(event.offset)..<Int(event.offset + event.count)]
      if readsAtOnce {
        session.consumed(Int(event.count), slot: event.slot)
      } else {
        unread[id, default: 0] += Int(event.count)
      }
    case .trailers:
      var block = HeaderBlock(byteCapacity: 64, fieldCapacity: 4)
      session.take(event, into: &block)
      arrival.trailers = Self.texts(block)
      arrival.hasEnded = true
    case .ended: arrival.hasEnded = true
    case .closed:
      arrival.closedWith = event.errorCode
      bodies[event.slot] = nil
      session.freeSlot(event.slot)
    }
    arrivals[id] = arrival
  }

  private func takeHead(_ event: HTTP2Event, _ arrival: inout Arrival) {
    slots[event.streamID] = event.slot
    if session.role == .server {
      streams.append(event.streamID)
      var head = RequestHead()
      session.take(event, into: &head)
      arrival.method = Self.text(head.bytes(head.methodName))
      arrival.path = Self.text(head.bytes(head.target))
      arrival.authority = Self.text(head.bytes(head.authority))
      arrival.fields = Self.texts(head.headers)
    } else {
      var head = ResponseHead()
      session.take(event, into: &head)
      arrival.statuses.append(head.status)
      arrival.fields = Self.texts(head.headers)
    }
    if event.endsStream { arrival.hasEnded = true }
  }

  static func text(_ span: RawSpan) -> String {
    String(decoding: (0..<span.byteCount).map { span.octets[$0] }, as: UTF8.self)
  }

  private static func texts(_ block: borrowing HeaderBlock) -> [String: String] {
    var texts: [String: String] = [:]
    for index in 0..<block.tableCount where !block.field(at: index).isRemoved {
      let field = block.field(at: index)
      let name = text(block.bytes.extracting(field.name.range))
      texts[name] = text(block.bytes.extracting(field.value.range))
    }
    return texts
  }
}

/// A client and a server, and the wire between them.
struct HTTP2Pair {
  let client: HTTP2Peer
  let server: HTTP2Peer

  init(client: HTTP2Settings = HTTP2Settings(), server: HTTP2Settings = HTTP2Settings()) {
    self.client = HTTP2Peer(.client, settings: client)
    self.server = HTTP2Peer(.server, settings: server)
    exchange()
  }

  /// Carries bytes both ways, in pieces of `piece` bytes, until neither side has more.
  func exchange(piece: Int = .max) {
    while true {
      let moved = carry(from: client, to: server, piece) + carry(from: server, to: client, piece)
      if moved == 0 { return }
    }
  }

  @discardableResult
  func carry(from sender: HTTP2Peer, to receiver: HTTP2Peer, _ piece: Int = .max) -> Int {
    var bytes = sender.output()
    let count = bytes.count
    while !bytes.isEmpty {
      let size = min(piece, bytes.count)
      receiver.receive(Array(bytes.prefix(size)))
      bytes.removeFirst(size)
    }
    return count
  }
}
