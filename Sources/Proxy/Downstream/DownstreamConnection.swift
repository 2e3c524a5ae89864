import Routing
import Transport

/// A client's connection, whatever it speaks: where it came in, and what of it the worker keeps.
class DownstreamConnection: Connection {
  final let worker: Ref<Worker>
  final let acceptor: Acceptor
  final var nextInList: Ref<DownstreamConnection>?
  final var previousInList: Ref<DownstreamConnection>?
  final var source: StreamSource
  /// It was closed because the process ends, with what was under way.
  private(set) final var isCutOff = false
  private final var generationNumber = -1
  private final var clientCertificate: [UInt8] = []

  init(acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress, tls: TLSSession?) throws {
    self.worker = Ref(worker)
    self.acceptor = acceptor
    source = StreamSource()
    source.peer = peer
    source.local = SocketAddress.local(of: descriptor) ?? acceptor.address
    source.isTLS = tls != nil
    try super.init(loop: worker.loop, descriptor: descriptor, peer: peer, tls: tls, isConnecting: false)
    worker.connectionOpened(self)
  }

  /// Goes on with the connection of `other`, which turned out to speak another protocol.
  init(takingOver other: DownstreamConnection) {
    worker = other.worker
    acceptor = other.acceptor
    source = other.source
    super.init(takingOver: other)
    worker.with { $0.connectionReplaced(other, by: self) }
  }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(
    loop: EventLoop, descriptor: Int32, peer: SocketAddress, tls: TLSSession?, isConnecting: Bool
  ) throws { fatalError("use the initializer of this class") }

  @available(*, unavailable, message: "use the initializer of this class")
  override init(takingOver other: Connection) { fatalError("use the initializer of this class") }

  /// Lends what `x-forwarded-client-cert` says of the client; made once a connection.
  final func withClientCertificate(_ body: (RawSpan) -> Void) {
    if clientCertificate.isEmpty, let tls { clientCertificate = tls.forwardedClientCertificate() }
    let text = clientCertificate
    body(text.span.raw)
  }

  /// A connection serves the newest snapshot with every request: its listener and chain are looked up anew once.
  final func adoptGeneration(_ worker: Worker) {
    worker.currentGeneration.with { generation in
      guard generation.number != generationNumber else { return }
      generationNumber = generation.number
      generation.locate(acceptor: acceptor, tls: tls, into: &source)
    }
  }

  /// The worker drains: an idle connection closes now, a busy one when its requests are answered.
  func drain() {}

  /// The process ends: closes now, and with it what is under way.
  final func cutOff() {
    isCutOff = true
    close()
  }

  /// Why the requests of a connection that is closed got no answer, in Envoy's words.
  final var disconnectDetails: StaticString {
    isCutOff ? "downstream_local_disconnect" : "downstream_remote_disconnect"
  }

  override func connectionFailed(_ failure: ConnectionFailure) {
    if case .handshake = failure { worker.with { $0.counters.handshakeFailures += 1 } }
  }
}
