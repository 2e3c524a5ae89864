import Glibc
import Testing

@testable import Transport

@Suite struct TLSHandshakeTests {
  let pki: TestPKI

  init() throws { pki = try TestPKI() }

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func bothSidesTalkAfterTheHandshake(version: TLSVersion) throws {
    let listener = try pki.listener {
      $0.minimumVersion = version; $0.maximumVersion = version
    }
    let pair = TLSPair(listener, try pki.client())
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.carry("question", from: pair.client, to: pair.server) == "question")
    #expect(pair.carry("answer", from: pair.server, to: pair.client) == "answer")
    #expect(pair.server.version == version)
    #expect(pair.client.versionName == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
    #expect(pair.server.withServerName { $0.byteCount } == 19)
    #expect(
      listener.counters
        == {
          var wanted = TLSCounters(); wanted.handshakes = 1; return wanted
        }())
  }

  @Test func versionsWithoutOverlapAreRefused() throws {
    let listener = try pki.listener { $0.minimumVersion = .tls13 }
    let pair = TLSPair(listener, try pki.client { $0.maximumVersion = .tls12 })
    #expect(pair.handshake() == (.failed, .failed))
    #expect(
      pair.server.failure == "TLS_error:|268435696:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL:TLS_error_end")
    #expect(pair.client.failure.contains("|268436526:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION"))
    #expect(listener.counters.otherFailures == 1)
  }

  @Test func plainHTTPToATLSPortIsSaidSo() throws {
    let pair = TLSPair(try pki.listener(), try pki.client())
    let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    unsafe _ = write(pair.clientDescriptor, request, request.count)
    #expect(pair.server.handshake() == .failed)
    #expect(pair.server.failure == "TLS_error:|268435612:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end")
  }

  @Test(arguments: [
    ("a.example.com", Int32(0)), ("A.Example.COM", 0), ("b.example.com", 1), ("x.b.example.com", 2),
  ])
  func theServerNameChoosesTheChain(name: String, chain: Int32) throws {
    let contexts: [Int32: TLSServerContext] = [
      0: try pki.server(["a.example.com"]), 1: try pki.server(["b.example.com"]),
      2: try pki.server(["*.b.example.com"]),
    ]
    let listener = try TLSListenerContext(chains: contexts) { name in
      let text = String(decoding: (0..<name.byteCount).map { name.unsafeByte($0) }, as: UTF8.self)
      return text == "a.example.com" ? 0 : text == "b.example.com" ? 1 : text.hasSuffix(".b.example.com") ? 2 : -1
    }
    let pair = TLSPair(listener, try pki.client(host: name), serverName: name)
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.server.chosenChain == chain)
  }

  @Test(arguments: ["other.example.com", nil])
  func aNameThatNobodyOwnsIsRefusedWithUnrecognizedName(name: String?) throws {
    let listener = try TLSListenerContext(chains: [0: pki.server()]) { _ in -1 }
    let pair = TLSPair(listener, try pki.client(), serverName: name)
    #expect(pair.handshake() == (.failed, .failed))
    #expect(pair.server.failure == "filter_chain_not_found: \(name ?? "no server name")")
    #expect(pair.client.failure.contains("|268436568:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNRECOGNIZED_NAME"))
    #expect(listener.counters.unknownServerNames == 1)
    #expect(listener.counters.otherFailures == 0)
  }

  @Test func aChainWithoutCredentialRefusesAndOthersServe() throws {
    let listener = try TLSListenerContext(chains: [0: pki.server()]) { $0.byteCount == 19 ? 0 : 1 }
    let broken = TLSPair(listener, try pki.client(), serverName: "broken.example.com")
    #expect(broken.handshake() == (.failed, .failed))
    #expect(broken.server.failure == "no usable certificate for broken.example.com")
    #expect(broken.client.failure.contains("SSLV3_ALERT_HANDSHAKE_FAILURE"))
    #expect(listener.counters.missingCredentials == 1)
    #expect(TLSPair(listener, try pki.client()).handshake() == (.done(0), .done(0)))
  }

  @Test(arguments: [
    (["h2", "http/1.1"], ["http/1.1", "h2"], "h2"), (["http/1.1"], ["h2", "http/1.1"], "http/1.1"),
    (["http/1.1"], ["spdy/3"], ""), ([], ["h2"], ""), (["h2"], [], ""),
  ])
  func theServersOrderChoosesTheProtocol(server: [String], client: [String], chosen: String) throws {
    let pair = TLSPair(try pki.listener { $0.alpn = server }, try pki.client { $0.alpn = client })
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.server.applicationProtocol == chosen)
    #expect(pair.client.applicationProtocol == chosen)
  }

  @Test func cipherSuitesOfTheServerAreObeyed() throws {
    let listener = try pki.listener {
      $0.maximumVersion = .tls12
      $0.cipherSuites = ["ECDHE-ECDSA-AES256-GCM-SHA384"]
    }
    let pair = TLSPair(listener, try pki.client())
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.client.cipherName == "ECDHE-ECDSA-AES256-GCM-SHA384")
  }

  @Test func anAddressIsNotSentAsServerName() throws {
    let pair = TLSPair(try pki.listener(["127.0.0.1"]), try pki.client(host: "127.0.0.1"), serverName: "127.0.0.1")
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.server.withServerName { $0.byteCount } == 0)
  }

  @Test(arguments: [
    [0, 3, 0, 0, 0], [0, 4, 0, 0, 2, 0x61], [0, 4, 1, 0, 1, 0x61], [0, 9, 0, 0, 1, 0x61], [0, 4, 0, 0, 1, 0x00], [0],
    [0, 4, 0, 0, 1, 0x61, 0x61],
  ])
  func malformedServerNamesAreNotNames(bytes: [UInt8]) {
    guard case .malformed = ClientHelloName.parse(bytes) else {
      Issue.record("taken for a name")
      return
    }
  }
}
