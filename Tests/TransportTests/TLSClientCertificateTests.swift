import Testing

@testable import Transport

@Suite struct TLSClientCertificateTests {
  let pki: TestPKI

  init() throws { pki = try TestPKI() }

  private func listener(
    _ verification: TLSServerConfiguration.ClientVerification,
    _ change: (inout TLSServerConfiguration) -> Void = { _ in }
  ) throws -> TLSListenerContext {
    try pki.listener {
      $0.clientVerification = verification
      $0.clientCAPEM = pki.authority.certificatePEM
      change(&$0)
    }
  }

  private func client(_ credential: DevelopmentPKI.Pair?) throws -> TLSClientContext {
    try pki.client { configuration in
      configuration.certificate = credential.map { ($0.certificatePEM, $0.keyPEM) }
    }
  }

  @Test func aRequiredCertificateIsAskedFor() throws {
    let listener = try listener(.required)
    let without = TLSPair(listener, try client(nil))
    #expect(without.handshake().server == .failed)
    #expect(
      without.server.failure.contains("|268435648:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE"))
    #expect(listener.counters.verificationFailures == 1)
    let with = TLSPair(listener, try client(pki.credential(["client.example.com"], purpose: .client)))
    #expect(with.handshake() == (.done(0), .done(0)))
    #expect(with.server.peerNames() == ["client.example.com"])
    #expect(with.server.peerCertificate()?.subject == "CN=test")
  }

  @Test func anOptionalCertificateIsVerifiedIfThere() throws {
    let listener = try listener(.optional)
    #expect(TLSPair(listener, try client(nil)).handshake() == (.done(0), .done(0)))
    let stranger = try TestPKI().credential(["client.example.com"], purpose: .client)
    let pair = TLSPair(listener, try client(stranger))
    #expect(pair.handshake().server == .failed)
    #expect(pair.server.failure.contains("unable to get local issuer certificate"))
  }

  @Test func serversThatDoNotAskDoNotSee() throws {
    let pair = TLSPair(try pki.listener(), try client(pki.credential(["a"], purpose: .client)))
    #expect(pair.handshake() == (.done(0), .done(0)))
    #expect(pair.server.peerCertificate() == nil)
  }

  @Test(arguments: [(["spiffe://td/ns/a/sa/b"], true), (["other"], false)])
  func theClientsNameMustBeAllowed(allowed: [String], accepted: Bool) throws {
    let listener = try listener(.required) { $0.allowedSANs = allowed }
    let pair = TLSPair(listener, try client(pki.credential(["spiffe://td/ns/a/sa/b"], purpose: .client)))
    #expect(pair.handshake().server == (accepted ? .done(0) : .failed))
    if !accepted {
      #expect(pair.server.failure.contains("the certificate is for spiffe://td/ns/a/sa/b, not for other"))
    }
  }

  @Test func pinsAreAlternatives() throws {
    let credential = try pki.credential(["client"], purpose: .client)
    let facts = try #require(CertificateFacts.read(pem: credential.certificatePEM).first)
    let wrong = String(repeating: "00", count: 32)
    for (hashes, accepted) in [([facts.fingerprint], true), ([wrong], false), ([wrong, facts.fingerprint], true)] {
      let listener = try listener(.required) { $0.certificateHashes = hashes }
      let pair = TLSPair(listener, try client(credential))
      #expect(pair.handshake().server == (accepted ? .done(0) : .failed), "\(hashes)")
    }
  }

  @Test func untrustedCertificatesAreAcceptedWhereTheyMay() throws {
    let listener = try listener(.required) { $0.acceptsUntrusted = true }
    let stranger = try TestPKI().credential(["client"], purpose: .client)
    #expect(TLSPair(listener, try client(stranger)).handshake() == (.done(0), .done(0)))
    #expect(TLSPair(listener, try client(nil)).handshake().server == .failed)
  }

  @Test func eachChainHasItsOwnRules() throws {
    let open = try pki.server()
    let closed = try pki.server {
      $0.clientVerification = .required
      $0.clientCAPEM = pki.authority.certificatePEM
    }
    let listener = try TLSListenerContext(chains: [0: open, 1: closed]) { $0.byteCount == 19 ? 0 : 1 }
    #expect(TLSPair(listener, try client(nil)).handshake().server == .done(0))
    #expect(TLSPair(listener, try client(nil), serverName: "closed.example.com").handshake().server == .failed)
  }
}
