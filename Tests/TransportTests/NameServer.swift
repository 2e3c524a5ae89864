import Glibc
import Synchronization

/// A name server for tests: one thread, UDP and TCP on the same free port of 127.0.0.1, answers from a table.
final class NameServer: Sendable {
  /// What it says to a question.
  enum Reply: Sendable {
    case records([Record])
    case code(UInt8)
    case silence
    /// Over UDP only a note that the answer does not fit; the records over TCP.
    case truncated([Record])
  }

  /// A resource record.
  struct Record: Sendable {
    let name: String
    let type: UInt16
    let lifetime: UInt32
    let data: [UInt8]

    static func v4(_ name: String, _ lifetime: UInt32, _ address: [UInt8]) -> Record {
      Record(name: name, type: 1, lifetime: lifetime, data: address)
    }
    static func v6(_ name: String, _ lifetime: UInt32, last: UInt8) -> Record {
      Record(
        name: name, type: 28, lifetime: lifetime,
        data: [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [last])
    }
    static func alias(_ name: String, _ lifetime: UInt32, _ target: String) -> Record {
      Record(name: name, type: 5, lifetime: lifetime, data: NameServer.encode(target))
    }
  }

  let port: UInt16
  private let udp: Int32
  private let tcp: Int32
  private let stop: Int32
  private let stopper: Int32
  /// By name and type: `a.test/1`.
  private let table: [String: Reply]
  private let asked = Mutex<[String]>([])
  private let finished = Atomic<Bool>(false)

  init(_ table: [String: Reply]) {
    self.table = table
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var sockets: (Int32, Int32, UInt16) = (-1, -1, 0)
    while sockets.1 < 0 {
      address.sin_port = 0
      let first = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      Self.bindTo(first, &address)
      let second = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      guard Self.bindTo(second, &address), listen(second, 8) == 0 else {
        close(first)
        close(second)
        continue
      }
      sockets = (first, second, UInt16(bigEndian: address.sin_port))
    }
    (udp, tcp, port) = sockets
    var ends: [Int32] = [0, 0]
    precondition(unsafe pipe(&ends) == 0)
    stop = ends[0]
    stopper = ends[1]
    start()
  }

  /// Ends the thread and its sockets.
  func end() {
    close(stopper)
    while !finished.load(ordering: .acquiring) { sched_yield() }
    for descriptor in [udp, tcp, stop] { close(descriptor) }
  }

  /// How often it was asked a question.
  func count(_ key: String) -> Int { asked.withLock { $0.filter { $0 == key }.count } }

  @discardableResult
  private static func bindTo(_ descriptor: Int32, _ address: inout sockaddr_in) -> Bool {
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard unsafe bind(descriptor, generic, length) == 0 else { return false }
        return unsafe getsockname(descriptor, generic, &length) == 0
      }
    }
  }

  private func start() {
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(self).toOpaque()
    unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<NameServer>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, box)
    pthread_detach(thread)
  }

  private func run() {
    var watched = [udp, tcp, stop].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while unsafe poll(&watched, nfds_t(3), -1) > 0, watched[2].revents == 0 {
      if watched[0].revents != 0 { serveDatagram() }
      if watched[1].revents != 0 { serveStream() }
    }
    finished.store(true, ordering: .releasing)
  }

  private func serveDatagram() {
    var bytes = [UInt8](repeating: 0, count: 512)
    var peer = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &peer) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        let count = unsafe recvfrom(udp, &bytes, bytes.count, 0, generic, &length)
        guard count > 12, let answer = answer(Array(bytes[..<count]), isStream: false) else { return }
        unsafe _ = sendto(udp, answer, answer.count, 0, generic, length)
      }
    }
  }

  private func serveStream() {
    let connection = accept(tcp, nil, nil)
    guard connection >= 0 else { return }
    defer { close(connection) }
    var bytes = [UInt8](repeating: 0, count: 514)
    let count = unsafe read(connection, &bytes, bytes.count)
    guard count > 14, let answer = answer(Array(bytes[2..<count]), isStream: true) else { return }
    let framed = [UInt8(answer.count >> 8), UInt8(answer.count & 255)] + answer
    // In two pieces: the resolver must come back for the second.
    unsafe _ = write(connection, framed, 10)
    let rest = Array(framed[10...])
    unsafe _ = write(connection, rest, rest.count)
    // The resolver closes when it has all.
    unsafe _ = read(connection, &bytes, 1)
  }

  private func answer(_ query: [UInt8], isStream: Bool) -> [UInt8]? {
    var position = 12
    var labels: [String] = []
    while position < query.count, query[position] != 0 {
      let end = position + 1 + Int(query[position])
      labels.append(String(decoding: query[position + 1..<end], as: UTF8.self))
      position = end
    }
    let question = Array(query[12..<position + 5])
    let key = "\(labels.joined(separator: ".").lowercased())/\(query[position + 2])"
    asked.withLock { $0.append(key) }
    var records: [Record] = []
    var flags: [UInt8] = [0x84, 0x80]  // response, authoritative; recursion available
    switch table[key] ?? .code(3) {
    case .silence: return nil
    case .code(let code): flags[1] |= code
    case .records(let all): records = all
    case .truncated(let all):
      if isStream { records = all } else { flags[0] |= 2 }
    }
    var reply =
      Array(query[0..<2]) + flags + [0, 1, UInt8(records.count >> 8), UInt8(records.count & 255), 0, 0, 0, 0] + question
    for record in records {
      reply += Self.encode(record.name) + [UInt8(record.type >> 8), UInt8(record.type & 255), 0, 1]
      reply += (0..<4).map { UInt8(truncatingIfNeeded: record.lifetime >> (24 - 8 * $0)) }
      reply += [UInt8(record.data.count >> 8), UInt8(record.data.count & 255)] + record.data
    }
    return reply
  }

  private static func encode(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }
}
