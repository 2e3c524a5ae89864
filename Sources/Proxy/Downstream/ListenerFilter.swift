import Routing
import Transport
import Wire

/// Looks at the first bytes of a connection before anything is decided, as Envoy's listener filters do: a PROXY protocol
/// header is taken off, a ClientHello is read where it lies. Then the connection that fits is made, and reads on as if
/// nobody had been there.
///
///     proxyHeader ──▶ clientHello ──▶ done
final class ListenerFilter: EventHandler {
  /// What is read next.
  private enum Stage: UInt8 {
    case proxyHeader
    case clientHello
    /// The descriptor has another owner, or is closed.
    case done
  }

  private let acceptor: Acceptor
  private let worker: Ref<Worker>
  private let loop: EventLoop
  private let descriptor: Int32
  private var stage: Stage
  private let needsClientHello: Bool
  private var peer: SocketAddress
  /// Nothing new can be said before this many bytes are there.
  private var wantedBytes = 1
  private var timer = TimerID.none
  private var handshakePlace: Int32 = -1

  /// Takes over a connection that was just accepted and is counted in the worker's budget.
  static func begin(acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress) {
    let filter = ListenerFilter(acceptor: acceptor, worker: worker, descriptor: descriptor, peer: peer)
    do {
      try filter.loop.register(descriptor, filter, for: [.readable, .peerClosed])
    } catch {
      SystemCalls.close(descriptor)
      return worker.budget.give(worker.index)
    }
    filter.loop.adopt(filter)
    filter.handshakePlace = worker.handshakes.enter(.filter(Ref(filter)), now: filter.loop.now)
    filter.loop.arm(&filter.timer, after: worker.limits.handshakeTimeoutMilliseconds, owner: filter, tag: 1)
    // Peers that send nothing first are told from others by time alone; those that have sent are served at once.
    filter.advance(hasEnded: false)
  }

  private init(acceptor: Acceptor, worker: Worker, descriptor: Int32, peer: SocketAddress) {
    self.acceptor = acceptor
    self.worker = Ref(worker)
    loop = worker.loop
    self.descriptor = descriptor
    self.peer = peer
    let (listener, policy) = worker.filterFacts(acceptor.listenerIndex)
    needsClientHello = listener.needsClientHello
    let expectsHeader = policy?.expectsHeader(from: peer.ip) ?? false
    stage = expectsHeader ? .proxyHeader : .clientHello
    super.init()
  }

  override func ready(_ events: ReadyEvents) {
    advance(hasEnded: !events.isDisjoint(with: [.peerClosed, .hangUp, .error]))
  }

  /// - Parameter hasEnded: the peer will send no more: what is missing will not come.
  private func advance(hasEnded: Bool) {
    if stage == .clientHello, !needsClientHello { return handOver() }
    while stage != .done {
      var buffer = ByteBuffer(pool: loop.buffers)
      if wantedBytes > BufferPool.smallBytes { buffer.enlarge() }
      switch SocketPreview.look(descriptor, into: &buffer) {
      case .nothing: return
      case .ended: return close(saying: [])
      case .bytes(let count):
        guard count >= wantedBytes else {
          if hasEnded { close(saying: []) }
          return
        }
        guard step(buffer.bytes) else {
          // More may be there already, when the look was bounded by the buffer.
          if wantedBytes > BufferPool.smallBytes, count == BufferPool.smallBytes { continue }
          if stage != .done, hasEnded { close(saying: []) }
          return
        }
      }
    }
  }

  /// Makes one step; false when more bytes are needed.
  private func step(_ bytes: RawSpan) -> Bool {
    switch stage {
    case .proxyHeader: return readProxyHeader(bytes)
    case .clientHello: return readClientHello(bytes)
    case .done: return true
    }
  }

  private func readProxyHeader(_ bytes: RawSpan) -> Bool {
    switch ProxyProtocolReader.read(bytes) {
    case .needMore(let total):
      wantedBytes = total
      return false
    case .refused:
      close(saying: [])
      return true
    case .parsed(let header, let consumed):
      if let addresses = header.addresses { peer = SocketAddress(addresses.source) }
      guard SocketPreview.discard(descriptor, consumed) else {
        close(saying: [])
        return true
      }
      wantedBytes = 1
      stage = .clientHello
      if !needsClientHello { handOver() }
      return true
    }
  }

  private func readClientHello(_ bytes: RawSpan) -> Bool {
    switch ClientHelloReader.read(bytes) {
    case .needMore(let total):
      wantedBytes = total
      return false
    case .refused(let refusal):
      close(saying: refusal.alert.map { TLSAlert.record($0) } ?? [])
    case .parsed(let hello):
      choose(hello)
    }
    return true
  }

  // MARK: Deciding

  private func choose(_ hello: ClientHello) {
    let listener = acceptor.listenerIndex
    let found = worker.with { $0.chain(ofListener: listener, for: hello) }
    guard let (index, chain) = found else { return refuse(hello) }
    switch chain.network {
    case .http: handOver()
    case .tcp, .passthrough:
      guard release() else { return }
      worker.with {
        TCPDownstreamConnection.begin(
          .onChain(index, serverName: hello.serverName), acceptor: acceptor, worker: $0, descriptor: descriptor,
          peer: peer)
      }
    }
  }

  /// No server owns the name: said to the client and to the log.
  private func refuse(_ hello: ClientHello) {
    worker.with { worker in
      worker.counters.connectionsWithoutChain += 1
      var record = TCPAccessRecord(startNanoseconds: loop.nowNanoseconds, peer: peer)
      record.local = SocketAddress.local(of: descriptor) ?? acceptor.address
      record.serverName = hello.serverName
      record.flags = .noRouteFound
      record.details = "filter_chain_not_found"
      worker.log(record)
    }
    close(saying: TLSAlert.record(TLSAlert.unrecognizedName), isCounted: true)
  }

  /// Gives the connection to the codec of its listener.
  private func handOver() {
    guard release() else { return }
    worker.with { acceptor.serve(descriptor, from: peer, on: $0) }
  }

  // MARK: Ending

  /// Lets go of the descriptor; false when that has happened.
  private func release() -> Bool {
    guard stage != .done else { return false }
    stage = .done
    loop.cancel(&timer)
    worker.with { $0.handshakes.leave(&handshakePlace) }
    loop.unregister(descriptor)
    loop.release(self)
    return true
  }

  private func close(saying bytes: [UInt8], isCounted: Bool = false) {
    guard release() else { return }
    SocketPreview.close(descriptor, saying: bytes)
    worker.with {
      if !isCounted { $0.counters.connectionsRefused += 1 }
      $0.budget.give($0.index)
    }
  }

  /// Others need its place, and its time is up for the most part.
  func giveUp() { close(saying: []) }

  override func timerFired(_ tag: UInt8) {
    timer = .none
    close(saying: [])
  }
}
