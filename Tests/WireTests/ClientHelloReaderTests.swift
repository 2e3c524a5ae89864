import Testing

@testable import Wire

/// A ClientHello from its parts, right or wrong.
enum Hello {
  static func vector8(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }
  static func vector16(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }

  static func `extension`(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [0, type] + vector16(body) }

  static func serverName(_ name: String) -> [UInt8] {
    `extension`(0, vector16([0] + vector16(Array(name.utf8))))
  }

  static func protocols(_ names: String...) -> [UInt8] {
    `extension`(16, vector16(names.flatMap { vector8(Array($0.utf8)) }))
  }

  /// The handshake message; nil extensions for a hello that ends before them.
  static func message(_ extensions: [UInt8]?, session: Int = 32, suites: [UInt8] = [0x13, 0x01]) -> [UInt8] {
    var body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32)
    body += vector8([UInt8](repeating: 1, count: session)) + vector16(suites) + vector8([0])
    if let extensions { body += vector16(extensions) }
    return [1, UInt8(body.count >> 16), UInt8(body.count >> 8 & 255), UInt8(body.count & 255)] + body
  }

  /// The message in records of at most `size` bytes.
  static func records(_ message: [UInt8], of size: Int = 16384) -> [UInt8] {
    stride(from: 0, to: message.count, by: size).flatMap { start in
      [22, 3, 1] + vector16(Array(message[start..<min(message.count, start + size)]))
    }
  }

  static func read(_ bytes: [UInt8]) -> ClientHelloReader.Reading { ClientHelloReader.read(bytes.span.raw) }

  /// The name of a hello, nil when it was not read.
  static func name(_ bytes: [UInt8]) -> String? {
    guard case .parsed(let hello) = read(bytes) else { return nil }
    return String(decoding: hello.serverName, as: UTF8.self)
  }
}

@Suite struct ClientHelloReaderTests {
  @Test func `reads the server name in lower case`() {
    #expect(Hello.name(Hello.records(Hello.message(Hello.serverName("A.Example.COM")))) == "a.example.com")
    #expect(Hello.name(Hello.records(Hello.message(Hello.protocols("h2")))) == "")
    #expect(Hello.name(Hello.records(Hello.message(nil))) == "")
    #expect(Hello.name(Hello.records(Hello.message([]))) == "")
  }

  @Test func `reads the protocols that the client offers`() throws {
    let bytes = Hello.records(Hello.message(Hello.protocols("http/1.1", "istio") + Hello.serverName("a")))
    guard case .parsed(let hello) = Hello.read(bytes) else { return #expect(Bool(false), "not read") }
    #expect(hello.offers("istio") && hello.offers("http/1.1"))
    #expect(!hello.offers("h2") && !hello.offers("ist") && !hello.offers("Istio"))
    #expect(hello.offersIstioProtocol)
  }

  @Test(arguments: [1, 2, 3, 5, 50, 97])
  func `puts a hello in several records together`(size: Int) {
    let message = Hello.message(Hello.serverName("a.example"), session: size == 1 ? 0 : 32, suites: [1, 2])
    let bytes = Hello.records(message, of: size)
    if message.count / size >= 64 {
      #expect(Hello.read(bytes) == .refused(.tooLarge))
    } else {
      #expect(Hello.name(bytes) == "a.example")
    }
  }

  @Test(arguments: [16384, 60])
  func `asks for more until all is there, and never for too little`(size: Int) {
    let bytes = Hello.records(Hello.message(Hello.serverName("a.example") + Hello.protocols("h2")), of: size)
    for count in 0..<bytes.count {
      guard case .needMore(let total) = Hello.read(Array(bytes[..<count])) else {
        #expect(Bool(false), "\(count) of \(bytes.count) bytes were enough")
        continue
      }
      #expect(total > count && total <= bytes.count)
    }
    #expect(Hello.name(bytes) == "a.example")
  }

  @Test func `does not look behind the hello's record`() {
    let bytes = Hello.records(Hello.message(Hello.serverName("a.example")))
    #expect(Hello.name(bytes + [20, 3, 3, 0, 1, 1]) == "a.example")
    #expect(Hello.name(bytes + Array("anything".utf8)) == "a.example")
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\u{16}\u{2}\u{1}", "\0\0\0\0", "\u{80}"])
  func `refuses what is not TLS`(_ text: String) {
    #expect(Hello.read(Array(text.utf8)) == .refused(.notTLS))
    #expect(ClientHelloRefusal.notTLS.alert == nil)
  }

  @Test func `refuses another handshake message at once`() {
    #expect(Hello.read([22, 3, 3, 0, 200, 2]) == .refused(.notClientHello))
  }

  /// Each is a hello with one thing wrong.
  static let malformed: [(String, [UInt8])] = [
    ("an empty record", [22, 3, 1, 0, 0]),
    ("a record that is too long", [22, 3, 1, 0x40, 1, 1]),
    ("bytes behind the message", Hello.records(Hello.message([]) + [0])),
    ("a session id of 33 bytes", Hello.records(Hello.message([], session: 33))),
    ("an odd number of suite bytes", Hello.records(Hello.message([], suites: [1, 2, 3]))),
    ("no suites", Hello.records(Hello.message([], suites: []))),
    ("half an extension header", Hello.records(Hello.message([0, 0, 0]))),
    ("an extension that is longer than the block", Hello.records(Hello.message([0, 5, 0, 9, 1]))),
    ("two server name extensions", Hello.records(Hello.message(Hello.serverName("a") + Hello.serverName("a")))),
    ("an empty server name", Hello.records(Hello.message(Hello.serverName("")))),
    ("an empty name extension", Hello.records(Hello.message(Hello.extension(0, [])))),
    ("a name with a space", Hello.records(Hello.message(Hello.serverName("a b")))),
    ("a name with a zero byte", Hello.records(Hello.message(Hello.serverName("a\0b")))),
    ("a name beyond ASCII", Hello.records(Hello.message(Hello.serverName("ä.example")))),
    (
      "two names",
      Hello.records(Hello.message(Hello.extension(0, Hello.vector16([0, 0, 1, 0x61, 0, 0, 1, 0x62]))))
    ),
    ("another type of name", Hello.records(Hello.message(Hello.extension(0, Hello.vector16([1, 0, 1, 0x61]))))),
    ("a name list that is too short", Hello.records(Hello.message(Hello.extension(0, [0, 3, 0, 0, 1, 0x61])))),
    ("an empty protocol list", Hello.records(Hello.message(Hello.extension(16, [0, 0])))),
    ("an empty protocol", Hello.records(Hello.message(Hello.extension(16, [0, 1, 0])))),
    ("a protocol that is too long", Hello.records(Hello.message(Hello.extension(16, [0, 2, 2, 0x61])))),
    ("two protocol extensions", Hello.records(Hello.message(Hello.protocols("a") + Hello.protocols("a")))),
    ("a second record of another type", Hello.records(Array(Hello.message([])[..<20])) + [23, 3, 1, 0, 1, 1]),
  ]

  @Test(arguments: malformed)
  func `refuses contradictions`(_ what: String, _ bytes: [UInt8]) {
    #expect(Hello.read(bytes) == .refused(.malformed), "\(what)")
  }

  @Test func `refuses what is too large`() {
    let padding = Hello.vector16([UInt8](repeating: 0, count: 60000))
    #expect(Hello.name(Hello.records(Hello.message([0, 21] + padding))) == "")
    #expect(Hello.read(Hello.records([1, 1, 0, 0])) == .refused(.tooLarge))
    #expect(Hello.read(Hello.records([1, 255, 255, 255] + [UInt8](repeating: 0, count: 70))) == .refused(.tooLarge))
  }

  @Test func `writes alerts that every client reads`() {
    #expect(TLSAlert.record(TLSAlert.unrecognizedName) == [21, 3, 1, 0, 2, 2, 112])
  }
}
