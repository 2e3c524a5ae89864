import Testing

@testable import Transport

@Suite struct TLSResumptionTests {
  let pki: TestPKI
  let credential: DevelopmentPKI.Pair

  init() throws {
    pki = try TestPKI()
    credential = try pki.credential(["httpbin.example.com"])
  }

  /// As another worker would make it: the same policy, another context.
  private func listener(_ change: (inout TLSServerConfiguration) -> Void = { _ in }) throws -> TLSListenerContext {
    try pki.listener { configuration in
      configuration.certificates = [(credential.certificatePEM, credential.keyPEM)]
      change(&configuration)
    }
  }

  /// Connects, exchanges a few bytes so that tickets arrive, and says whether the session was resumed on both sides.
  private func connect(_ listener: TLSListenerContext, _ client: TLSClientContext, peer: SocketAddress? = nil) -> Bool {
    let pair = TLSPair(listener, client, peer: peer)
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.carry("x", from: pair.server, to: pair.client) == "x")
    #expect(pair.server.isResumed == pair.client.isResumed)
    return pair.server.isResumed
  }

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func sessionsResumeAcrossWorkers(version: TLSVersion) throws {
    let first = try listener { $0.maximumVersion = version }
    let second = try listener { $0.maximumVersion = version }
    let client = try pki.client()
    #expect(!connect(first, client))
    #expect(connect(second, client))
    #expect(connect(first, client))
    #expect(second.counters.resumed == 1)
    #expect(client.counters.resumed == 2)
  }

  @Test func sessionsDoNotCrossPolicies() throws {
    let client = try pki.client {
      let credential = try pki.credential(["client"], purpose: .client)
      $0.certificate = (credential.certificatePEM, credential.keyPEM)
    }
    let optional = try listener {
      $0.clientVerification = .optional
      $0.clientCAPEM = pki.authority.certificatePEM
    }
    let required = try listener {
      $0.clientVerification = .required
      $0.clientCAPEM = pki.authority.certificatePEM
    }
    #expect(!connect(optional, client))
    #expect(!connect(required, client))
    #expect(connect(required, client))
    #expect(!connect(try listener(), client))
  }

  @Test func aSessionThatBeganWithoutCertificateIsNoWayIn() throws {
    let client = try pki.client()
    #expect(!connect(try listener(), client))
    let required = try listener {
      $0.clientVerification = .required
      $0.clientCAPEM = pki.authority.certificatePEM
    }
    #expect(TLSPair(required, client).handshake().server == .failed)
  }

  @Test func sessionsBelongToAnEndpoint() throws {
    let listener = try listener()
    let client = try pki.client()
    let one = SocketAddress(v4: 0x7F00_0001, port: 1)
    let two = SocketAddress(v4: 0x7F00_0001, port: 2)
    #expect(!connect(listener, client, peer: one))
    #expect(!connect(listener, client, peer: two))
    #expect(connect(listener, client, peer: one))
    #expect(connect(listener, client, peer: two))
  }

  @Test func ticketsOfTLS13AreUsedOnce() throws {
    let listener = try listener()
    let client = try pki.client()
    #expect(!connect(listener, client))
    let first = TLSPair(listener, client)
    let second = TLSPair(listener, client)
    #expect(first.handshake() == (.done(0), .done(0)))
    #expect(second.handshake() == (.done(0), .done(0)))
    #expect([first.server.isResumed, second.server.isResumed] == [true, false])
  }

  @Test func ticketKeysRotate() {
    let keys = TicketKeys()
    let period = TicketKeys.rotationSeconds
    keys.rotate(now: 1000)
    let first = keys.names
    keys.rotate(now: 1000 + period - 1)
    #expect(keys.names == first)
    keys.rotate(now: 1000 + period)
    keys.rotate(now: 1000 + 2 * period)
    #expect(keys.names.count == 3)
    #expect(keys.names.last == first.first)
    keys.rotate(now: 1000 + 3 * period)
    #expect(keys.names.count == 3)
    #expect(!keys.names.contains(first[0]))
    keys.rotate(now: 1000 + 100 * period)
    #expect(keys.names.count == 1)
  }
}
