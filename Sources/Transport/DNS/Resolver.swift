import CCares
import CLinux

/// Resolves names with c-ares on an event loop: asynchronous, IPv4 and IPv6, `/etc/hosts` and `/etc/resolv.conf`
/// honoured. It has timers and sockets only while a question is out.
@safe
package final class Resolver: EventHandler {
  private let loop: EventLoop
  private let servers: [String]
  private var channel: OpaquePointer?
  private var sockets: [Int32: ResolverSocket] = [:]
  private var timer = TimerID.none
  private var outstanding = 0
  /// c-ares is handing out an answer: its channel must stay.
  private var isAnswering = false
  private var openedAt: Int64 = 0
  private let timeoutMilliseconds: Int32
  private let tries: Int32

  private let rereadMilliseconds: Int64

  /// - Parameters:
  ///   - servers: `ADDRESS:PORT` each; empty: those of the system.
  ///   - timeoutMilliseconds: patience with the first attempt, doubled with each one.
  ///   - tries: attempts at each server. By default 1 + 2 + 4 s, which leaves time to connect in Istio's 10 s.
  ///   - rereadMilliseconds: after this, and with no question out, `/etc/resolv.conf` is read again: it may have changed.
  package init(
    loop: EventLoop, servers: [String], timeoutMilliseconds: Int32 = 1000, tries: Int32 = 3,
    rereadMilliseconds: Int64 = 30_000
  ) {
    self.loop = loop
    self.servers = servers
    self.timeoutMilliseconds = timeoutMilliseconds
    self.tries = tries
    self.rereadMilliseconds = rereadMilliseconds
    super.init()
    loop.adopt(self)
  }

  /// Ends it: questions that are out are answered with "cancelled"; at the end of the turn when a completion calls it.
  package func close() {
    guard !isAnswering else { return loop.atEndOfTurn(self) }
    closeChannel()
    loop.release(self)
  }

  /// Asks for the addresses of `name`; `completion` runs on the loop, at once for addresses.
  package func resolve(name: String, completion: @escaping (DNSAnswer) -> Void) {
    if let literal = SocketAddress(literal: name, port: 0) {
      return completion(DNSAnswer(addresses: [literal], lifetimeSeconds: 86_400, problem: nil))
    }
    guard let channel = unsafe openChannel() else {
      let problem = servers.isEmpty ? "no resolver" : "\(servers.joined(separator: ",")) are no name servers"
      return completion(DNSAnswer(addresses: [], lifetimeSeconds: 1, problem: problem))
    }
    outstanding += 1
    let question = unsafe Unmanaged.passRetained(Question(self, completion)).toOpaque()
    unsafe shim_ares_ask(channel, name, Self.answered, question)
    armTimer()
  }

  private func openChannel() -> OpaquePointer? {
    if outstanding == 0, loop.now - openedAt > rereadMilliseconds { closeChannel() }
    if let channel = unsafe channel { return unsafe channel }
    guard var opened = unsafe open(flags: 0) else { return nil }
    // With several servers c-ares goes on to the next one when one fails, and tells no more than that all did. With one there
    // is no next: take its word, SERVFAIL or REFUSED, as it is.
    if unsafe shim_ares_server_count(opened) == 1, let single = unsafe open(flags: ARES_FLAG_NOCHECKRESP) {
      unsafe ares_destroy(opened)
      unsafe opened = single
    }
    unsafe channel = opened
    openedAt = loop.now
    return unsafe opened
  }

  private func open(flags: Int32) -> OpaquePointer? {
    var opened: OpaquePointer?
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    let code = unsafe shim_ares_open(&opened, Self.socketChanged, this, timeoutMilliseconds, tries, flags)
    guard code == ARES_SUCCESS, let opened = unsafe opened else { return nil }
    let list = servers.joined(separator: ",")
    guard unsafe list.isEmpty || ares_set_servers_ports_csv(opened, list) == ARES_SUCCESS else {
      unsafe ares_destroy(opened)
      return nil
    }
    return unsafe opened
  }

  private func closeChannel() {
    guard let closing = unsafe channel else { return }
    unsafe channel = nil
    // It closes its sockets and answers its questions on the way.
    unsafe ares_destroy(closing)
    loop.cancel(&timer)
  }

  // MARK: Answers

  private final class Question {
    let resolver: Resolver
    let completion: (DNSAnswer) -> Void
    init(_ resolver: Resolver, _ completion: @escaping (DNSAnswer) -> Void) {
      self.resolver = resolver
      self.completion = completion
    }
  }

  private static let answered: ares_addrinfo_callback = { argument, status, _, info in
    guard let argument = unsafe argument else { return }
    let question = unsafe Unmanaged<Question>.fromOpaque(argument).takeRetainedValue()
    let answer = unsafe Resolver.answer(status, info)
    if let info = unsafe info { unsafe ares_freeaddrinfo(info) }
    let resolver = question.resolver
    resolver.isAnswering = true
    question.completion(answer)
    resolver.isAnswering = false
    // Only now: what the completion asks next must not take c-ares' channel away under its feet.
    resolver.outstanding -= 1
  }

  private static func answer(_ status: Int32, _ info: UnsafeMutablePointer<ares_addrinfo>?) -> DNSAnswer {
    guard status == ARES_SUCCESS, let info = unsafe info else {
      return DNSAnswer(addresses: [], lifetimeSeconds: 1, problem: problem(status))
    }
    var addresses: [SocketAddress] = []
    var lifetime = unsafe shim_ares_alias_ttl(info)
    var node = unsafe info.pointee.nodes
    while let current = unsafe node {
      if let address = unsafe current.pointee.ai_addr {
        var storage = sockaddr_storage()
        let size = unsafe min(Int(current.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) {
          unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: size))
        }
        if let parsed = SocketAddress(storage) { addresses.append(parsed.withPort(0)) }
      }
      unsafe lifetime = min(lifetime, current.pointee.ai_ttl)
      unsafe node = current.pointee.ai_next
    }
    guard !addresses.isEmpty else { return DNSAnswer(addresses: [], lifetimeSeconds: 1, problem: "no addresses") }
    return DNSAnswer(addresses: addresses, lifetimeSeconds: Int(lifetime), problem: nil)
  }

  private static func problem(_ status: Int32) -> String {
    switch status {
    case ARES_ENOTFOUND: return "NXDOMAIN"
    case ARES_ENODATA: return "no addresses"
    case ARES_ESERVFAIL: return "SERVFAIL"
    case ARES_ETIMEOUT: return "timeout"
    case ARES_ECONNREFUSED: return "no name server could answer"
    case ARES_EREFUSED: return "REFUSED"
    case ARES_EBADRESP: return "malformed answer"
    case ARES_EDESTRUCTION, ARES_ECANCELLED: return "cancelled"
    default: return unsafe String(cString: ares_strerror(status))
    }
  }

  // MARK: Sockets and timers

  private static let socketChanged: ares_sock_state_cb = { argument, socket, readable, writable in
    guard let argument = unsafe argument else { return }
    unsafe Unmanaged<Resolver>.fromOpaque(argument)._withUnsafeGuaranteedRef {
      $0.watch(socket, readable: readable != 0, writable: writable != 0)
    }
  }

  private func watch(_ socket: Int32, readable: Bool, writable: Bool) {
    if !readable, !writable {
      sockets.removeValue(forKey: socket)?.stop()
    } else if let known = sockets[socket] {
      known.watch(writable: writable)
    } else {
      sockets[socket] = ResolverSocket(socket, resolver: self, loop: loop, writable: writable)
    }
  }

  /// Tells c-ares what the loop found.
  func process(_ socket: Int32, readable: Bool, writable: Bool) {
    guard let channel = unsafe channel else { return }
    unsafe ares_process_fd(channel, readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD)
    armTimer()
  }

  /// Whether the socket is still c-ares' own.
  func watches(_ socket: ResolverSocket, _ descriptor: Int32) -> Bool { sockets[descriptor] === socket }

  private func armTimer() {
    guard let channel = unsafe channel else { return }
    let milliseconds = unsafe shim_ares_timeout(channel)
    if milliseconds >= 0 {
      loop.arm(&timer, after: Int64(max(1, milliseconds)), owner: self, tag: 1)
    } else {
      loop.cancel(&timer)
    }
  }

  package override func turnEnded() {
    close()
  }

  package override func timerFired(_ tag: UInt8) {
    timer = .none
    process(ARES_SOCKET_BAD, readable: false, writable: false)
  }
}
