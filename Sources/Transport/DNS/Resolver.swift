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

  /// One attempt's patience, and the attempts at each server. Together below Istio's connect timeout.
  private static let timeoutMilliseconds: Int32 = 2000
  private static let tries: Int32 = 3

  /// - Parameter servers: `ADDRESS:PORT` each; empty: those of the system.
  package init(loop: EventLoop, servers: [String]) {
    self.loop = loop
    self.servers = servers
    super.init()
    loop.adopt(self)
  }

  deinit {
    if let channel = unsafe channel { unsafe ares_destroy(channel) }
  }

  /// Asks for the addresses of `name`; `completion` runs on the loop, at once for addresses.
  package func resolve(name: String, completion: @escaping (DNSAnswer) -> Void) {
    if let literal = SocketAddress(literal: name, port: 0) {
      return completion(DNSAnswer(addresses: [literal], lifetimeSeconds: 86_400, problem: nil))
    }
    guard let channel = unsafe openChannel() else {
      return completion(DNSAnswer(addresses: [], lifetimeSeconds: 1, problem: "no resolver"))
    }
    let question = unsafe Unmanaged.passRetained(Question(completion)).toOpaque()
    unsafe shim_ares_ask(channel, name, Self.answered, question)
    armTimer()
  }

  private func openChannel() -> OpaquePointer? {
    if let channel = unsafe channel { return unsafe channel }
    var opened: OpaquePointer?
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    let code = unsafe shim_ares_open(&opened, Self.socketChanged, this, Self.timeoutMilliseconds, Self.tries)
    guard code == ARES_SUCCESS, let opened = unsafe opened else { return nil }
    if !servers.isEmpty { unsafe ares_set_servers_ports_csv(opened, servers.joined(separator: ",")) }
    unsafe channel = opened
    return unsafe opened
  }

  // MARK: Answers

  private final class Question {
    let completion: (DNSAnswer) -> Void
    init(_ completion: @escaping (DNSAnswer) -> Void) { self.completion = completion }
  }

  private static let answered: ares_addrinfo_callback = { argument, status, _, info in
    guard let argument = unsafe argument else { return }
    let question = unsafe Unmanaged<Question>.fromOpaque(argument).takeRetainedValue()
    let answer = unsafe Resolver.answer(status, info)
    if let info = unsafe info { unsafe ares_freeaddrinfo(info) }
    question.completion(answer)
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
    case ARES_ECONNREFUSED: return "name server refused the connection"
    case ARES_EREFUSED: return "REFUSED"
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

  fileprivate func process(_ socket: Int32, readable: Bool, writable: Bool) {
    guard let channel = unsafe channel else { return }
    unsafe ares_process_fd(channel, readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD)
    armTimer()
  }

  private func armTimer() {
    guard let channel = unsafe channel else { return }
    let milliseconds = unsafe shim_ares_timeout(channel)
    if milliseconds >= 0 {
      loop.arm(&timer, after: Int64(max(1, milliseconds)), owner: self, tag: 1)
    } else {
      loop.cancel(&timer)
    }
  }

  package override func timerFired(_ tag: UInt8) {
    timer = .none
    process(ARES_SOCKET_BAD, readable: false, writable: false)
  }
}

/// A socket that c-ares owns, watched for it.
private final class ResolverSocket: EventHandler {
  private let descriptor: Int32
  private let resolver: Resolver
  private let loop: EventLoop

  init(_ descriptor: Int32, resolver: Resolver, loop: EventLoop, writable: Bool) {
    self.descriptor = descriptor
    self.resolver = resolver
    self.loop = loop
    super.init()
    loop.adopt(self)
    try? loop.register(descriptor, self, for: writable ? [.readable, .writable] : .readable)
  }

  func watch(writable: Bool) {
    loop.modify(descriptor, self, for: writable ? [.readable, .writable] : .readable)
  }

  override func ready(_ events: ReadyEvents) {
    let readable = !events.isDisjoint(with: [.readable, .error, .hangUp, .peerClosed])
    resolver.process(descriptor, readable: readable, writable: events.contains(.writable))
    // c-ares reads one datagram a call: ask for the edge again, in case there are more.
    if resolver.owns(self, descriptor) { loop.modify(descriptor, self, for: .readable) }
  }

  func stop() {
    loop.unregister(descriptor)
    loop.release(self)
  }
}

extension Resolver {
  fileprivate func owns(_ socket: ResolverSocket, _ descriptor: Int32) -> Bool { sockets[descriptor] === socket }
}
