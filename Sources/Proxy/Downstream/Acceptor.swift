import Routing
import Transport

/// A listening socket of one worker: takes connections and gives each to the codec of its listener.
final class Acceptor: EventHandler {
  let address: SocketAddress
  /// The listener in the worker's current snapshot; -1 when the snapshot has none for this socket any more.
  private(set) var listenerIndex: Int32 = -1
  private(set) var tls: TLSListenerContext?

  private let worker: Ref<Worker>
  private let loop: EventLoop
  private let socket: ListeningSocket
  private var retryTimer = TimerID.none

  /// How long to wait when the process is out of descriptors, before trying again.
  private static let exhaustedPauseMilliseconds: Int64 = 100
  /// Connections taken in one go before others get their turn.
  private static let acceptsPerTurn = 64

  init(socket: consuming ListeningSocket, worker: Worker) throws {
    address = socket.address
    self.worker = Ref(worker)
    loop = worker.loop
    self.socket = socket
    super.init()
    // A unix-domain socket is shared by all workers.
    try loop.register(self.socket.descriptor, self, for: address.family == .unix ? [.readable, .exclusive] : .readable)
    loop.adopt(self)
  }

  /// Serves `listener` of the newest snapshot from now on; connections that are already there follow with their next
  /// request.
  func serve(listener: Int32, tls: TLSListenerContext?) {
    listenerIndex = listener
    self.tls = tls
  }

  override func ready(_ events: ReadyEvents) {
    for _ in 0..<Self.acceptsPerTurn {
      switch socket.accept() {
      case .connection(let descriptor, let peer): take(descriptor, from: peer)
      case .none: return
      case .aborted: continue
      case .exhausted(let code):
        worker.with { $0.acceptExhausted(code) }
        loop.arm(&retryTimer, after: Self.exhaustedPauseMilliseconds, owner: self, tag: 1)
        return
      }
    }
    loop.runAgain(self)
  }

  override func timerFired(_ tag: UInt8) {
    retryTimer = .none
    ready(.readable)
  }

  private func take(_ descriptor: Int32, from peer: SocketAddress) {
    worker.with { worker in
      guard worker.mayAccept(descriptor) else {
        SystemCalls.close(descriptor)
        return
      }
      if worker.handOver(descriptor, from: peer, at: address) { return }
      place(descriptor, from: peer, on: worker)
    }
  }

  /// Serves a connection on this worker.
  func place(_ descriptor: Int32, from peer: SocketAddress, on worker: Worker) {
    let needsFilter = worker.needsFilter(listenerIndex)
    if needsFilter || tls != nil, !worker.admitsHandshake() {
      SystemCalls.close(descriptor)
      return worker.budget.give(worker.index)
    }
    guard needsFilter else { return serve(descriptor, from: peer, on: worker) }
    ListenerFilter.begin(acceptor: self, worker: worker, descriptor: descriptor, peer: peer)
  }

  /// Makes the connection that serves the listener when nothing needs to be read before.
  func serve(_ descriptor: Int32, from peer: SocketAddress, on worker: Worker) {
    if worker.isTCP(listenerIndex) {
      TCPDownstreamConnection.begin(
        .onListener(listenerIndex), acceptor: self, worker: worker, descriptor: descriptor, peer: peer)
    } else {
      let session = tls.map { TLSSession(accepting: $0, descriptor: descriptor) }
      _ = try? HTTP1DownstreamConnection(
        acceptor: self, worker: worker, descriptor: descriptor, peer: peer, tls: session)
    }
  }

  /// Stops accepting; connections go on.
  func stop() {
    // The next snapshot's listeners have other indexes.
    listenerIndex = -1
    loop.cancel(&retryTimer)
    loop.unregister(socket.descriptor)
    loop.release(self)
  }
}
