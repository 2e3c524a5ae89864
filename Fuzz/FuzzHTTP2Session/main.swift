import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// A server that answers: what it says depends on nothing but what it got.
private struct Server: ~Copyable {
  let session = HTTP2Session(.server)
  private var bodies: [Int32: Int] = [:]
  private var open: Set<Int32> = []
  private var head = RequestHead()
  private var answer = ResponseHead()
  private var trailers = HeaderBlock(byteCapacity: 256, fieldCapacity: 8)

  init() {
    answer.status = 200
    answer.headers.append(.contentType, "text/plain")
  }

  /// Takes `input`; false when the connection is over.
  mutating func receive(_ input: RawSpan) -> Bool {
    let progress = session.receive(input)
    handleEvents(inputBytes: input.byteCount)
    send()
    if case .paused(let count) = progress { return receive(input.extracting(droppingFirst: count)) }
    return progress == .consumed
  }

  private mutating func handleEvents(inputBytes: Int) {
    var index = 0
    while index < session.eventCount {
      handle(session.event(at: index), inputBytes: inputBytes)
      index += 1
    }
    session.clearEvents()
  }

  private mutating func handle(_ event: HTTP2Event, inputBytes: Int) {
    switch event.kind {
    case .goAway, .settings: return
    case .head:
      expect(open.insert(event.slot).inserted, "slot \(event.slot) is given to two streams")
      head.reset()
      session.take(event, into: &head)
      expect(!head.authority.isEmpty, "a request without an authority")
      if event.endsStream { respond(event.slot) }
    case .headTooLarge:
      expect(open.insert(event.slot).inserted, "slot \(event.slot) is given to two streams")
      session.discard(event)
      session.submit(answer, slot: event.slot, endsStream: true)
    case .data:
      expect(event.offset >= 0 && Int(event.offset + event.count) <= inputBytes, "body bytes outside of the input")
      session.consumed(Int(event.count), slot: event.slot)
    case .trailers:
      trailers.removeAll()
      session.take(event, into: &trailers)
      respond(event.slot)
    case .ended: respond(event.slot)
    case .closed:
      // A stream whose head was refused never became a request.
      open.remove(event.slot)
      bodies[event.slot] = nil
      session.freeSlot(event.slot)
    }
  }

  /// Bodies of several lengths, with and without trailers.
  private mutating func respond(_ slot: Int32) {
    guard open.contains(slot) else { return }
    session.submit(answer, slot: slot, endsStream: slot % 4 == 0)
    guard slot % 4 != 0 else { return }
    let count = Int(slot % 5) * 9000
    bodies[slot, default: 0] += count
    session.offer(count, slot: slot)
    trailers.removeAll()
    if slot % 2 == 0 { trailers.append(.contentType, "x") }
    session.endBody(slot: slot, trailers: trailers)
  }

  private mutating func send() {
    var sent = 0
    while sent < 1 << 20 {
      switch session.nextOutput() {
      case .none, .failed: return handleEvents(inputBytes: 0)
      case .bytes(let count):
        expect(count > 0, "an empty output")
        sent += count
      case .data(let slot, let count):
        expect(count <= bodies[slot, default: 0], "more of a body is sent than there is")
        bodies[slot, default: 0] -= count
        sent += count + 9
      }
    }
    handleEvents(inputBytes: 0)
  }
}

/// The first byte says in what pieces the rest arrives, behind a valid preface and empty settings.
private func check(_ all: RawSpan) {
  guard all.byteCount > 1 else { return }
  var server = Server()
  let beginning = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
  expect(server.receive(beginning.span.raw), "the preface is refused")
  let piece = Int(all.octets[0]) + 1
  var position = 1
  while position < all.byteCount {
    let end = min(all.byteCount, position + piece)
    guard server.receive(all.extracting(position..<end)) else { break }
    position = end
  }
  expect(server.session.activeStreams >= 0, "more streams ended than began")
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
