import Transport
import Wire

/// The article's request: over TLS to the ingress instance, with the server name and the Host of the article.
struct DemoRequest {
  /// What came of it.
  enum Answer: Equatable {
    case status(Int)
    case failure(String)
  }

  let host: String
  let path: String
  let address: SocketAddress
  /// The CA that the ingress instance is believed by.
  let authority: [UInt8]

  /// Sends it on a connection of its own; `completion` is called once.
  func send(on loop: EventLoop, completion: @escaping (Answer) -> Void) {
    var configuration = TLSClientConfiguration()
    configuration.authority = .pem(authority)
    configuration.verifiedHost = host
    do {
      let context = try TLSClientContext(configuration)
      let descriptor = try OutgoingSocket.connect(to: address)
      let session = TLSSession(connecting: context, descriptor: descriptor, serverName: host, peer: address)
      _ = try DemoConnection(
        loop: loop, descriptor: descriptor, address: address, tls: session,
        request: Array("GET \(path) HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\n\r\n".utf8),
        completion: completion)
    } catch {
      completion(.failure("\(error)"))
    }
  }
}

/// The connection of a `DemoRequest`.
private final class DemoConnection: Connection {
  private let request: [UInt8]
  private let completion: (DemoRequest.Answer) -> Void
  private var isAnswered = false
  private var parser = HTTP1HeadParser()
  private var response = ResponseHead()
  private var timer = TimerID.none
  private static let timeoutMilliseconds: Int64 = 10_000

  init(
    loop: EventLoop, descriptor: Int32, address: SocketAddress, tls: TLSSession, request: [UInt8],
    completion: @escaping (DemoRequest.Answer) -> Void
  ) throws {
    self.request = request
    self.completion = completion
    try super.init(loop: loop, descriptor: descriptor, peer: address, tls: tls, isConnecting: true)
    loop.arm(&timer, after: Self.timeoutMilliseconds, owner: self, tag: 1)
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(takingOver other: Connection) { fatalError("use the initializer of this class") }

  override func connectionOpened() {
    let bytes = request
    if send(bytes.span.raw) < bytes.count { answer(.failure("the request does not fit into one write")) }
  }

  override func inputAvailable() {
    let outcome = withInput { parser.parseResponse($0, requestMethod: .get, into: &response, limits: HTTP1Limits()) }
    switch outcome {
    case .needMore: if inputEnded { answer(.failure("the connection was closed before a response came")) }
    case .refused(let refusal): answer(.failure("malformed response: \(refusal.responseDetail)"))
    case .complete: answer(.status(Int(response.status)))
    }
  }

  override func connectionFailed(_ failure: ConnectionFailure) { answer(.failure(failure.reason)) }

  override func connectionClosed() {
    loop.cancel(&timer)
    answer(.failure("the connection was closed"))
  }

  override func timerFired(_ tag: UInt8) {
    guard tag == 1 else { return super.timerFired(tag) }
    timer = .none
    answer(.failure("no answer within \(Self.timeoutMilliseconds / 1000) s"))
  }

  private func answer(_ answer: DemoRequest.Answer) {
    guard !isAnswered else { return }
    isAnswered = true
    completion(answer)
    if state != .closed { close() }
  }
}
