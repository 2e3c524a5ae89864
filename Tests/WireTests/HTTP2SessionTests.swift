import Testing

@testable import Wire

@Suite struct HTTP2SessionTests {
  private static func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 8) ^ seed) }
  }

  private static func frame(_ kind: UInt8, _ flags: UInt8 = 0, stream: Int32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let id = UInt32(stream)
    return [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), kind, flags]
      + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: id >> $0) } + payload
  }

  private static let ping: UInt8 = 6
  private static let settings: UInt8 = 4
  private static let reset: UInt8 = 3
  private static let headers: UInt8 = 1
  private static let data: UInt8 = 0

  /// A peer that has sent the preface and empty settings, and then `bytes`.
  private static func server(after bytes: [UInt8]) -> HTTP2Peer {
    let server = HTTP2Peer(.server)
    server.receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(settings) + bytes)
    return server
  }

  // MARK: Messages

  @Test(arguments: [1, 2, 7, 100, Int.max])
  func `a request and its response, however they are cut`(_ piece: Int) {
    let pair = HTTP2Pair()
    let slot = pair.client.request(
      "POST", "/a?b", fields: [("x-one", "1"), ("content-type", "text/plain")], ends: false)
    pair.client.send(Self.pattern(3000), slot: slot)
    pair.client.end(slot: slot, trailers: [("x-after", "t")])
    pair.exchange(piece: piece)
    let request = pair.server.arrivals[1]
    #expect(request?.method == "POST" && request?.path == "/a?b" && request?.authority == "h.example")
    #expect(request?.fields["x-one"] == "1" && request?.body == Self.pattern(3000))
    #expect(request?.trailers == ["x-after": "t"] && request?.hasEnded == true)

    guard let place = pair.server.slots[1] else { return }
    pair.server.respond(103, slot: place, fields: [("link", "</x>")])
    pair.server.respond(200, slot: place, fields: [("x-two", "2")], ends: false)
    pair.server.send(Self.pattern(5000, seed: 1), slot: place)
    pair.server.end(slot: place, trailers: [("grpc-status", "0")])
    pair.exchange(piece: piece)
    let response = pair.client.arrivals[1]
    #expect(response?.statuses == [103, 200] && response?.fields["x-two"] == "2")
    #expect(response?.body == Self.pattern(5000, seed: 1) && response?.trailers == ["grpc-status": "0"])
    #expect(response?.closedWith == .noError)
    #expect(pair.client.session.activeStreams == 0 && pair.server.session.activeStreams == 0)
  }

  @Test func `slots are used again`() {
    let pair = HTTP2Pair()
    for round in 0..<300 {
      let slot = pair.client.request("GET", "/\(round)")
      #expect(slot == 0)
      pair.exchange()
      pair.server.respond(204, slot: 0)
      pair.exchange()
    }
    #expect(pair.server.streams.count == 300 && pair.client.session.activeStreams == 0)
  }

  @Test func `fields that frame a message are dropped from trailers`() {
    let pair = HTTP2Pair()
    let slot = pair.client.request("POST", ends: false)
    pair.client.end(slot: slot, trailers: [("x-good", "1"), ("x-forwarded-for", "1.2.3.4"), ("cookie", "a")])
    pair.exchange()
    #expect(pair.server.arrivals[1]?.trailers == ["x-good": "1"])
  }

  // MARK: Flow control

  @Test(arguments: [1, 1000, 65_535, 128 * 1024])
  func `bodies pass through small windows`(_ window: Int32) {
    var settings = HTTP2Settings()
    settings.streamWindowBytes = window
    let body = Self.pattern(window == 1 ? 200 : 300_000)
    let pair = HTTP2Pair(client: settings, server: settings)
    let slot = pair.client.request("POST", ends: false)
    pair.client.send(body, slot: slot)
    pair.client.end(slot: slot)
    pair.exchange()
    #expect(pair.server.arrivals[1]?.body == body && pair.server.arrivals[1]?.hasEnded == true)
  }

  @Test func `what is not read closes the window of its stream, and reading opens it`() {
    let pair = HTTP2Pair()
    pair.server.readsAtOnce = false
    let slot = pair.client.request("POST", ends: false)
    pair.client.send(Self.pattern(400_000), slot: slot)
    pair.client.end(slot: slot)
    pair.exchange()
    #expect(pair.server.arrivals[1]?.body.count == 128 * 1024)
    guard let place = pair.server.slots[1] else { return }
    for _ in 0..<10 {
      pair.server.read(slot: place, stream: 1)
      pair.exchange()
    }
    #expect(pair.server.arrivals[1]?.body == Self.pattern(400_000))
  }

  @Test func `responses that are not read do not hold up those of others`() {
    let pair = HTTP2Pair()
    pair.client.readsAtOnce = false
    // Far more than the connection's window, all of it unread.
    for _ in 0..<20 { _ = pair.client.request() }
    pair.exchange()
    for stream in pair.server.streams {
      guard let place = pair.server.slots[stream] else { continue }
      pair.server.respond(200, slot: place, ends: false)
      pair.server.send(Self.pattern(200_000), slot: place)
      pair.server.end(slot: place)
    }
    pair.exchange()
    pair.client.readsAtOnce = true
    _ = pair.client.request("GET", "/late")
    pair.exchange()
    guard let stream = pair.server.streams.last, let place = pair.server.slots[stream] else { return }
    pair.server.respond(200, slot: place, ends: false)
    pair.server.send(Self.pattern(50_000), slot: place)
    pair.server.end(slot: place)
    pair.exchange()
    #expect(pair.client.arrivals[stream]?.body.count == 50_000)
  }

  @Test func `the connection's window survives streams that are dropped`() {
    let pair = HTTP2Pair()
    pair.server.readsAtOnce = false
    for round in 0..<30 {
      let slot = pair.client.request("POST", ends: false)
      pair.client.send(Self.pattern(100_000), slot: slot)
      pair.exchange()
      let stream = Int32(2 * round + 1)
      #expect(pair.server.arrivals[stream]?.body.count == 100_000)
      guard let place = pair.server.slots[stream] else { return }
      pair.server.session.reset(slot: place, .cancel)
      pair.server.session.dropped(pair.server.unread[stream, default: 0])
      pair.exchange()
      #expect(pair.client.arrivals[stream]?.closedWith == .cancel)
    }
  }

  // MARK: Resets

  /// The frame of a body was written, then its stream ended, then another stream has something to say.
  @Test func `a stream that is reset behind its written frame takes nothing from the next`() {
    let pair = HTTP2Pair()
    _ = pair.client.request("GET", "/first")
    _ = pair.client.request("GET", "/second")
    pair.exchange()
    guard let first = pair.server.slots[1], let second = pair.server.slots[3] else { return }
    for slot in [first, second] { pair.server.respond(200, slot: slot, ends: false) }
    pair.exchange()
    pair.server.send(Self.pattern(16_384), slot: first)
    // One frame, and no question whether there is more.
    pair.client.receive(pair.server.output(limit: 1))
    pair.client.session.reset(slot: 0, .cancel)
    pair.carry(from: pair.client, to: pair.server)
    #expect(pair.server.arrivals[1]?.closedWith == .cancel)
    pair.server.send(Self.pattern(1000, seed: 3), slot: second)
    pair.server.end(slot: second)
    pair.exchange()
    #expect(pair.client.arrivals[3]?.body == Self.pattern(1000, seed: 3))
    #expect(pair.client.arrivals[3]?.hasEnded == true)
  }

  @Test func `a request that is cancelled before it was sent leaves nothing behind`() {
    let pair = HTTP2Pair()
    let slot = pair.client.request()
    pair.client.session.reset(slot: slot, .cancel)
    pair.exchange()
    #expect(pair.client.session.activeStreams == 0)
    #expect(pair.server.streams.isEmpty)
    #expect(pair.client.request() == slot)
  }

  @Test func `a malformed head ends its stream, and no head is under way`() {
    // :method GET, :scheme http, :authority h, and no :path.
    let block: [UInt8] = [0x82, 0x86, 0x41, 0x01, 0x68]
    for stream in stride(from: Int32(1), to: 201, by: 2) {
      let server = Self.server(after: Self.frame(Self.headers, 5, stream: stream, block))
      #expect(!server.session.isInsideHead && server.streams.isEmpty && server.failure == nil)
    }
  }

  @Test func `more body than content-length says is a malformed message`() {
    let pair = HTTP2Pair()
    let slot = pair.client.request("POST", fields: [("content-length", "3")], ends: false)
    pair.client.send([1, 2, 3, 4], slot: slot)
    pair.client.end(slot: slot)
    pair.exchange()
    #expect(pair.server.arrivals[1]?.hasEnded == false)
    #expect(pair.server.arrivals[1]?.closedWith == .protocolError)
    #expect(pair.client.arrivals[1]?.closedWith == .protocolError)
  }

  // MARK: Goodbye

  @Test func `streams beyond a goaway are refused, others go on`() {
    let pair = HTTP2Pair()
    _ = pair.client.request("GET", "/before")
    pair.exchange()
    pair.server.session.goAway(.noError)
    _ = pair.client.request("GET", "/after")
    pair.exchange()
    #expect(pair.client.sawGoAway && !pair.client.session.takesStreams)
    #expect(pair.client.arrivals[3]?.closedWith == .refusedStream)
    #expect(pair.client.arrivals[1]?.closedWith == nil)
    guard let place = pair.server.slots[1] else { return }
    pair.server.respond(200, slot: place)
    pair.exchange()
    #expect(pair.client.arrivals[1]?.statuses == [200])
  }

  @Test func `a request that a goaway overtook was refused, not lost`() {
    let pair = HTTP2Pair()
    pair.server.session.goAway(.noError)
    let bytes = pair.server.output()
    _ = pair.client.request()
    pair.client.receive(bytes)
    pair.exchange()
    #expect(pair.client.arrivals[1]?.closedWith == .refusedStream)
  }

  @Test func `a goodbye of a client without streams is no error`() {
    let pair = HTTP2Pair()
    pair.client.session.goAway(.noError)
    pair.exchange()
    #expect(pair.server.failure == nil && pair.server.sawGoAway && pair.server.session.isLeaving)
    #expect(pair.server.session.isFinished)
  }

  @Test func `a connection that is about to be shut down still takes its first request`() {
    let server = HTTP2Peer(.server)
    let client = HTTP2Peer(.client)
    server.session.announceShutdown()
    server.receive(client.output())
    _ = server.output()
    _ = client.request()
    server.receive(client.output())
    #expect(server.failure == nil && server.streams == [1])
  }

  @Test func `an announced shutdown refuses nothing`() {
    let pair = HTTP2Pair()
    pair.server.session.announceShutdown()
    _ = pair.client.request()
    pair.exchange()
    #expect(pair.server.streams == [1] && pair.client.sawGoAway)
  }

  // MARK: Limits

  @Test func `a peer may not open more streams than it was told`() {
    var settings = HTTP2Settings()
    settings.maxConcurrentStreams = 2
    let pair = HTTP2Pair(server: settings)
    #expect(pair.client.session.peerMaxConcurrentStreams == 2)
    for _ in 0..<2 { _ = pair.client.request() }
    #expect(!pair.client.session.takesStreams)
  }

  @Test func `a head that is too large is told from a request`() {
    var settings = HTTP2Settings()
    settings.maxHeaderBytes = 1000
    let pair = HTTP2Pair(server: settings)
    _ = pair.client.request(fields: [("x-long", String(repeating: "x", count: 1500))])
    pair.exchange()
    #expect(pair.server.arrivals[1]?.statuses == [431])
  }

  @Test func `a long download is no flood of window updates`() {
    var settings = HTTP2Settings()
    settings.streamWindowBytes = 10
    let pair = HTTP2Pair(client: settings)
    _ = pair.client.request()
    pair.exchange()
    pair.server.respond(200, slot: 0, ends: false)
    for _ in 0..<150 {
      pair.server.send([UInt8](repeating: 1, count: 1000), slot: 0)
      pair.exchange()
    }
    #expect(pair.server.failure == nil && pair.client.arrivals[1]?.body.count == 150_000)
  }

  @Test func `pings now and then may go on for ever`() {
    let server = Self.server(after: [])
    let ping = Self.frame(Self.ping, 0, [UInt8](repeating: 0, count: 8))
    for minute in 1...200 {
      for _ in 0..<10 { _ = server.session.receive(ping.span.raw, now: Int64(minute) * 60_000) }
      _ = server.output()
    }
    server.receive(ping)
    #expect(server.failure == nil)
  }

  @Test(arguments: [
    "ping", "settings", "unknown frames", "continuations", "empty data", "rapid reset",
    "resets that we are made to send", "unread answers",
  ])
  func `floods end the connection`(_ flood: String) {
    let server = Self.server(after: [])
    let get: [UInt8] = [0x82, 0x86, 0x84, 0x41, 0x01, 0x68]
    var stream: Int32 = 1
    if flood == "empty data" { server.receive(Self.frame(Self.headers, 4, stream: 1, [0x83] + get.dropFirst())) }
    var rounds = 0
    while server.failure == nil, rounds < 20_000 {
      rounds += 1
      switch flood {
      case "ping": server.receive(Self.frame(Self.ping, 0, [UInt8](repeating: 0, count: 8)))
      case "settings": server.receive(Self.frame(Self.settings))
      case "unknown frames": server.receive(Self.frame(0x42, 0, [1]))
      case "continuations":
        // The head of one request, which never ends.
        server.receive(rounds == 1 ? Self.frame(Self.headers, 1, stream: 1, get) : Self.frame(9, 0, stream: 1, [0x84]))
      case "empty data": server.receive(Self.frame(Self.data, 0, stream: 1))
      case "rapid reset":
        server.receive(
          Self.frame(Self.headers, 5, stream: stream, get) + Self.frame(Self.reset, stream: stream, [0, 0, 0, 0]))
      case "resets that we are made to send":
        // A window update of nothing is a stream error.
        server.receive(Self.frame(Self.headers, 5, stream: stream, get) + Self.frame(8, stream: stream, [0, 0, 0, 0]))
      default:
        // Refused streams, one after the other, and nobody reads that they are.
        server.receive(Self.frame(Self.headers, 5, stream: stream, get))
      }
      stream += 2
      if flood != "unread answers" { _ = server.output() }
    }
    #expect(server.failure != nil)
    #expect(rounds < 12_000)
  }

  @Test func `a head that unpacks to far too much is answered before it ends, and the connection goes on`() {
    let server = Self.server(after: [])
    let get: [UInt8] = [0x82, 0x86, 0x84, 0x41, 0x01, 0x68]
    // A field of 4,000 bytes that goes into the table, and a hundred references to it.
    let large: [UInt8] = [0x40, 0x01, 0x78, 0x7F, 0xA1, 0x1E] + [UInt8](repeating: 0x76, count: 4000)
    server.receive(
      Self.frame(Self.headers, 5, stream: 1, get + large + [UInt8](repeating: 0xBE, count: 100))
        + Self.frame(Self.headers, 5, stream: 3, get))
    #expect(server.failure == nil)
    #expect(server.arrivals[1]?.statuses == [431])
    #expect(server.arrivals[3]?.method == "GET")
  }
}
