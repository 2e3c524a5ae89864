import Routing
import Transport
import Wire

/// One thread of the data plane: its loop, sockets, connections, streams and pools. Workers share nothing on the path
/// of a request; what the control side wants of a worker it posts to the loop.
package final class Worker {
  package let index: Int
  package let loop: EventLoop
  let limits: ProxyLimits
  let services: WorkerServices
  let streams = StreamPool()
  /// Of all HTTP/2 sessions of this worker.
  let http2Memory = HTTP2Memory(maxSessions: 32 * 1024)
  /// What responses carry as `server`.
  static let serverName: StaticString = "sallyport"
  let matchContext = MatchContext()
  var random = RandomSource()
  var clock = WallClock()
  package internal(set) var counters = WorkerCounters()
  private(set) var generation: WorkerGeneration
  /// The same, as requests use it.
  private(set) var currentGeneration: Ref<WorkerGeneration>
  private(set) var isDraining = false

  private var retiring: [WorkerGeneration] = []
  private var acceptors: [Acceptor] = []
  private let connections = ConnectionList()
  /// Those that carry bytes: to be found when the process ends.
  var tcpConnections: [ObjectIdentifier: Ref<TCPDownstreamConnection>] = [:]
  let handshakes = HandshakeQueue()
  private var memory: MemoryKeeper?
  let budget: ConnectionBudget
  let accessLog: AccessLogBatch
  let logFormat: AccessLogFormat
  /// Copies of requests that are under way.
  var mirrors = MirrorBudget()
  var requestCounters = RequestCounters()
  var requestHosts = RequestHosts()
  var routeStatistics = RouteStatistics()
  var probers: [Prober] = []
  var explainTokens = ExplainTokens()
  /// Text forms that are built anew for each request, in place.
  private var peerText = ByteText()
  private var describedPeer = SocketAddress(v4: 0, port: 0)
  private var requestID = ByteText()

  init(
    index: Int, loop: EventLoop, limits: ProxyLimits, logFormat: AccessLogFormat, budget: ConnectionBudget,
    services: WorkerServices
  ) {
    self.logFormat = logFormat
    self.index = index
    self.loop = loop
    self.limits = limits
    self.budget = budget
    self.services = services
    accessLog = AccessLogBatch(loop: loop, services: services)
    let first = WorkerGeneration(number: 0, snapshot: .empty, clusters: [], statistics: &routeStatistics)
    generation = first
    currentGeneration = Ref(first)
    streams.serve(self)
    memory = MemoryKeeper(worker: self)
  }

  // MARK: Snapshots

  /// Serves `plan` from now on. Streams that are under way finish on what they began with.
  func adopt(_ plan: WorkerPlan) {
    let old = generation
    let clusters = plan.snapshot.clusters.enumerated().map { index, config in
      takeOver(config, from: old)
        ?? UpstreamCluster(
          config: config, worker: self, tls: plan.clientTLS[index], shared: plan.shared[index],
          previous: old.clusters.first { $0.config.name == config.name })
    }
    generation = WorkerGeneration(
      number: old.number + 1, snapshot: plan.snapshot, clusters: clusters, statistics: &routeStatistics)
    currentGeneration = Ref(generation)
    old.isCurrent = false
    for cluster in old.clusters where !clusters.contains(where: { $0 === cluster }) { cluster.retire() }
    if old.activeStreams > 0 {
      retiring.append(old)
      old.whenFinished = { [weak self] in self?.retire($0) }
    }
    adoptListeners(plan)
  }

  /// An unchanged cluster keeps its endpoints, connections and counters.
  private func takeOver(_ config: Cluster, from old: WorkerGeneration) -> UpstreamCluster? {
    old.clusters.first { $0.config.isUnchanged(from: config) }
  }

  /// The last stream of an old generation has ended.
  func retire(_ generation: WorkerGeneration) {
    retiring.removeAll { $0 === generation }
  }

  private func adoptListeners(_ plan: WorkerPlan) {
    var kept: [Acceptor] = []
    for listener in plan.listeners {
      let existing = acceptors.first { $0.address == listener.address }
      if let acceptor = existing ?? listener.takeDescriptor().flatMap({ makeAcceptor($0, listener.address) }) {
        acceptor.serve(listener: listener.index, tls: listener.tls)
        kept.append(acceptor)
      }
    }
    for acceptor in acceptors where !kept.contains(where: { $0 === acceptor }) { acceptor.stop() }
    acceptors = kept
  }

  private func makeAcceptor(_ descriptor: Int32, _ address: SocketAddress) -> Acceptor? {
    try? Acceptor(socket: ListeningSocket(descriptor: descriptor, address: address), worker: self)
  }

  // MARK: Connections

  /// Whether the client connection that has just been accepted may be held. Where there is no room, one that has not even
  /// said hello makes some.
  func mayAccept(_ descriptor: Int32) -> Bool {
    if descriptor >= limits.descriptors.clients, !giveUpHandshake() {
      counters.descriptorOverflows += 1
      notice(
        "cannot accept connections: \(limits.descriptors.clients) of \(limits.descriptors.total) descriptors are in use, "
          + "the others are kept for upstreams and the instance's own ports; more connections are closed as they come")
      return false
    }
    if budget.take(index) || (giveUpHandshake() && budget.take(index)) { return true }
    counters.connectionOverflows += 1
    notice("cannot accept connections: \(limits.maxConnections) are there, more are closed as they come")
    return false
  }

  /// Whether one more connection may begin a handshake, or its like: the oldest one is given up for it.
  func admitsHandshake() -> Bool {
    if handshakes.count < limits.maxHandshakes || giveUpHandshake() { return true }
    counters.handshakeOverflows += 1
    return false
  }

  /// Gives up the handshake that has been in progress for the longest; false when none has had its time.
  private func giveUpHandshake() -> Bool {
    guard handshakes.giveUpOldest(now: loop.now) else { return false }
    counters.handshakeOverflows += 1
    return true
  }

  /// Gives a connection that was just accepted to a worker that has fewer; false when it is well placed here.
  func handOver(_ descriptor: Int32, from peer: SocketAddress, at address: SocketAddress) -> Bool {
    guard !isDraining, let other = budget.betterPlace(than: index) else { return false }
    budget.move(from: index, to: other)
    services.handOver(other, descriptor, peer, address)
    return true
  }

  /// Takes a connection that another worker accepted; its place is counted here already.
  func takeOver(_ descriptor: Int32, from peer: SocketAddress, at address: SocketAddress) {
    guard let acceptor = acceptors.first(where: { $0.address == address }) else {
      // The listener went away in between: the client finds out as if it had come a moment later.
      SystemCalls.close(descriptor)
      return budget.give(index)
    }
    acceptor.place(descriptor, from: peer, on: self)
  }

  func connectionOpened(_ connection: DownstreamConnection) {
    connections.add(connection)
    countOpened()
  }

  /// A connection goes on in another protocol.
  func connectionReplaced(_ old: DownstreamConnection, by new: DownstreamConnection) {
    connections.remove(old)
    connections.add(new)
    if isDraining { new.drain() }
  }

  func connectionClosed(_ connection: DownstreamConnection) {
    connections.remove(connection)
    countClosed(connection)
  }

  /// Counts a client's connection, whatever it speaks.
  func countOpened() {
    counters.connections += 1
    counters.activeConnections += 1
    memory?.opened(counters.activeConnections)
  }

  /// A client's connection is over: its place is free, and draining may be done.
  func countClosed(_ connection: Connection) {
    budget.give(index)
    counters.activeConnections -= 1
    memory?.closed(counters.activeConnections)
    counters.bytesReceived += connection.bytesReceived
    counters.bytesSent += connection.bytesSent
    if isDraining { reportDrained() }
  }

  func acceptExhausted(_ code: Int32) {
    counters.acceptsExhausted += 1
    notice("cannot accept connections: \(SystemError.text(of: code)); trying again")
  }

  /// Says why clients are turned away, which may come and go many times a second: once a minute, whichever worker sees it.
  private func notice(_ text: @autoclosure () -> String) {
    if budget.mayNotice(loop.now) { services.log(.warning, "listener", text()) }
  }

  // MARK: Draining

  /// Lets requests finish and asks clients to leave: responses say `connection: close`, idle connections close now.
  /// Listeners stay open until nothing is active, so that a connection that was just made is not refused.
  func drain() {
    isDraining = true
    connections.forEach { $0.drain() }
    reportDrained()
  }

  /// Says that nothing is left, once the log lines of the last requests are on their way: they leave at the end of the turn.
  func reportDrained() {
    guard counters.activeConnections == 0 else { return }
    loop.post { [services, index] _ in services.workerDrained(index) }
  }

  /// Closes what draining left, with all that is under way; each request gets its line in the log.
  func cutOff() {
    isDraining = true
    connections.forEach { $0.cutOff() }
    for connection in tcpConnections.values { connection.with { $0.cutOff() } }
    reportDrained()
  }

  /// Stops accepting; part of the end of draining.
  func closeListeners() {
    for acceptor in acceptors { acceptor.stop() }
    acceptors = []
  }

  // MARK: Services for streams

  /// Asks the control side to resolve a cluster's names again.
  func requestResolution(of cluster: UpstreamCluster) {
    services.resolve(cluster.config.name)
  }

  /// Adds the forwarding headers of a request from `source`.
  func prepare(
    _ request: inout RequestHead, from source: StreamSource, timeoutMilliseconds: Int, keepsClientCertificate: Bool
  ) {
    // Clients behind one balancer have one address.
    if !source.peer.hasSameHost(as: describedPeer) || peerText.count == 0 {
      describedPeer = source.peer
      // A unix-domain socket's path is not an address that others could do something with.
      peerText.set { source.peer.family == .unix ? 0 : source.peer.writeHost(into: &$0) }
    }
    requestID.set { random.writeUUID(into: &$0) }
    var rules = ForwardingRules(
      isTLS: source.isTLS, isPrivate: source.peer.isPrivate, expectedTimeoutMilliseconds: timeoutMilliseconds)
    rules.keepsClientCertificate = keepsClientCertificate
    request.prepareForUpstream(rules, peer: peerText.bytes, requestID: requestID.bytes)
  }

  /// A WebSocket server that speaks HTTP/1.1 wants a key; a client that sent an extended CONNECT has none. The answer to
  /// it proves that the server meant it, which the gateway takes on trust (RFC 8441, section 5).
  func addWebSocketKey(_ request: inout RequestHead) {
    guard request.headers.index(named: Self.webSocketKeyName.span.raw) < 0 else { return }
    requestID.set { random.writeUUID(into: &$0) }
    let key = Base64.encode(requestID.bytes.extracting(first: 16))
    request.headers.append(name: Self.webSocketKeyName.span.raw, value: key.span.raw)
  }

  private static let webSocketKeyName = Array("sec-websocket-key".utf8)

  /// Adds `date`, `server` and the upstream's time to a response.
  func prepare(_ response: inout ResponseHead, serviceMilliseconds: Int) {
    clock.updateDate(loop.nowNanoseconds)
    response.prepareForDownstream(
      date: clock.date.span.raw.extracting(first: WallClock.dateBytes), server: Self.serverName,
      serviceMilliseconds: serviceMilliseconds)
  }

  /// Fills in the fields of an answer that the gateway gives itself.
  func finishLocalReply(_ response: inout ResponseHead, contentLength: Int) {
    clock.updateDate(loop.nowNanoseconds)
    response.finishLocalReply(
      contentLength: contentLength, date: clock.date.span.raw.extracting(first: WallClock.dateBytes),
      server: Self.serverName)
  }
}
