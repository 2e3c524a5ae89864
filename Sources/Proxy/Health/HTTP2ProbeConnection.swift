import Routing
import Transport
import Wire

/// An `httpGet` probe of a cluster that speaks HTTP/2, or a `grpc` probe: one stream, one answer.
final class HTTP2ProbeConnection: ProbeConnection {
  private let session = HTTP2Session(.client)
  private var slot: Int32 = -1
  private var request = RequestHead(byteCapacity: 512)
  private var response = ResponseHead(byteCapacity: 512)
  private var trailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
  /// The request's body, not sent yet, and as much of the response's as an answer may have.
  private var outgoing: [UInt8] = []
  private var incoming: [UInt8] = []

  private static let answerLimit = 1024

  override func connectionOpened() {
    switch probe.kind {
    case .http2Get(let get): ask(get.method, get.path, authority: get.authority, get.fields)
    case .grpc(let service, let authority):
      outgoing = GRPCHealth.request(service)
      ask(
        "POST", GRPCHealth.path, authority: authority,
        [.init(name: "content-type", value: "application/grpc"), .init(name: "te", value: "trailers")])
    case .httpGet, .tcpSocket: judge(nil)
    }
  }

  private func ask(_ method: String, _ path: String, authority: String, _ fields: [Probe.HTTP2Request.Field]) {
    request.methodName = request.headers.intern(Array(method.utf8).span.raw)
    request.method = outgoing.isEmpty ? .get : .post
    request.target = request.headers.intern(Array(path.utf8).span.raw)
    request.headers.append(.host, Array(authority.utf8).span.raw)
    request.authority = request.headers.value(of: .host)
    for field in fields {
      request.headers.append(name: Array(field.name.utf8).span.raw, value: Array(field.value.utf8).span.raw)
    }
    slot = session.submit(request, isHTTPS: tls != nil, endsStream: outgoing.isEmpty)
    if !outgoing.isEmpty {
      session.offer(outgoing.count, slot: slot)
      session.endBody(slot: slot, trailers: trailers)
    }
    pump()
  }

  override func inputAvailable() {
    if case .failed(let reason) = withInput({ session.receive($0) }) { return judge("not HTTP/2: \(reason)") }
    var index = 0
    while index < session.eventCount, state == .open {
      handle(session.event(at: index))
      index += 1
    }
    guard state == .open else { return }
    session.clearEvents()
    input.removeAll()
    pump()
    if inputEnded { judge("the connection was closed before a response came") }
  }

  private func handle(_ event: HTTP2Event) {
    switch event.kind {
    case .head:
      response.reset()
      session.take(event, into: &response)
      if event.endsStream, response.status >= 200 { conclude() }
    case .data:
      let range = Int(event.offset)..<Int(event.offset + event.count)
      withInput { bytes in
        for index in range where incoming.count < Self.answerLimit {
          incoming.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
      }
      session.consumed(Int(event.count), slot: event.slot)
    case .trailers:
      session.take(event, into: &trailers)
      conclude()
    case .ended: conclude()
    case .closed: judge("the stream was reset, error code \(event.errorCode.rawValue)")
    case .headTooLarge: judge("malformed response: http2.headers_too_large")
    case .goAway, .settings: break
    }
  }

  private func conclude() {
    guard case .grpc = probe.kind else { return judge(HTTP1ProbeConnection.problem(withStatus: response.status)) }
    guard response.status == 200 else { return judge("HTTP status \(response.status)") }
    let code = trailers.isEmpty ? response.grpcStatus : trailers.grpcStatus
    judge(GRPCHealth.problem(grpcStatus: code, answer: incoming))
  }

  override func outputDrained() { pump() }

  private func pump() {
    let goesOn = writeFrames(of: session) { _, count in
      let body = outgoing
      outgoing.removeFirst(count)
      return writeBodyFrame(body.span.raw.extracting(first: count), of: session)
    }
    if !goesOn { judge("HTTP/2 failed") }
  }
}
