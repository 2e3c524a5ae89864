import Testing

@testable import Transport

@Suite struct TLSVerificationTests {
  let pki: TestPKI

  init() throws { pki = try TestPKI() }

  private func certificateOfTheServer(_ names: [String], verifiedHost: String, accepted: Bool) throws -> TLSPair {
    let pair = TLSPair(try pki.listener(names), try pki.client(host: verifiedHost), serverName: nil)
    let result = pair.handshake()
    #expect(result.client == (accepted ? .done(0) : .failed), "\(names) for \(verifiedHost): \(pair.client.failure)")
    return pair
  }

  @Test(arguments: [
    (["httpbin.org"], "httpbin.org", true), (["httpbin.org"], "HTTPBIN.org", true),
    (["httpbin.org"], "www.httpbin.org", false), (["*.httpbin.org"], "www.httpbin.org", true),
    (["*.httpbin.org"], "httpbin.org", false), (["*.httpbin.org"], "a.b.httpbin.org", false),
    (["w*.httpbin.org"], "www.httpbin.org", false), (["127.0.0.1"], "127.0.0.1", true),
    (["127.0.0.1"], "127.0.0.2", false), (["::1"], "::1", true), (["::1"], "[::1]", true),
    (["a.org", "b.org"], "b.org", true), ([], "test", false),
  ])
  func theCertificateMustBeForTheHost(names: [String], host: String, accepted: Bool) throws {
    let pair = try certificateOfTheServer(names, verifiedHost: host, accepted: accepted)
    guard !accepted else { return }
    #expect(
      pair.client.failure.hasPrefix(
        "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: "
          + "certificate verification error at depth 0: "))
    #expect(pair.client.failure.contains("mismatch"))
    #expect(pair.client.failure.contains("expected \(host)"))
    for name in names { #expect(pair.client.failure.contains(name)) }
  }

  @Test func theCommonNameDoesNotCount() throws {
    let credential = try pki.credential(["other.org"], commonName: "httpbin.org")
    let listener = try pki.listener { $0.certificates = [(credential.certificatePEM, credential.keyPEM)] }
    let pair = TLSPair(listener, try pki.client(host: "httpbin.org"))
    #expect(pair.handshake().client == .failed)
  }

  @Test func anUntrustedAuthorityIsNamed() throws {
    let stranger = try TestPKI()
    let pair = TLSPair(try stranger.listener(), try pki.client())
    #expect(pair.handshake() == (.failed, .failed))
    #expect(
      pair.client.failure.contains(
        "at depth 0: unable to get local issuer certificate (subject CN=test, issuer CN=Test CA)"))
    #expect(pair.server.failure.contains("|268436504:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA"))
  }

  @Test func aSelfSignedCertificateIsRefusedUnlessItIsTheAuthority() throws {
    let selfSigned = try DevelopmentPKI.selfSigned(.init(commonName: "self", names: ["httpbin.example.com"]))
    let listener = try pki.listener { $0.certificates = [(selfSigned.certificatePEM, selfSigned.keyPEM)] }
    let refused = TLSPair(listener, try pki.client())
    #expect(refused.handshake().client == .failed)
    #expect(refused.client.failure.contains("self-signed certificate"))
    let pinned = TLSPair(listener, try pki.client { $0.authority = .pem(selfSigned.certificatePEM) })
    #expect(pinned.handshake() == (.done(0), .done(0)))
  }

  @Test(arguments: [
    (Int64(1_000_000_000), Int64(1_000_086_400), "certificate has expired"),
    (4_000_000_000, 4_000_086_400, "certificate is not yet valid"),
  ])
  func datesAreChecked(notBefore: Int64, notAfter: Int64, reason: String) throws {
    let credential = try pki.credential(["httpbin.example.com"], notBefore: notBefore, notAfter: notAfter)
    let listener = try pki.listener { $0.certificates = [(credential.certificatePEM, credential.keyPEM)] }
    let pair = TLSPair(listener, try pki.client())
    #expect(pair.handshake().client == .failed)
    #expect(pair.client.failure.contains(reason))
  }

  @Test func aClientCertificateIsNoServerCertificate() throws {
    let credential = try pki.credential(["httpbin.example.com"], purpose: .client)
    let listener = try pki.listener { $0.certificates = [(credential.certificatePEM, credential.keyPEM)] }
    let pair = TLSPair(listener, try pki.client())
    #expect(pair.handshake().client == .failed)
    #expect(pair.client.failure.contains("unsuitable certificate purpose"))
  }

  @Test func skippingVerificationAcceptsAnything() throws {
    let stranger = try TestPKI()
    let client = try pki.client(host: "elsewhere.org") {
      $0.insecureSkipVerify = true
      $0.subjectAltNames = ["nobody.org"]
    }
    #expect(TLSPair(try stranger.listener(), client).handshake() == (.done(0), .done(0)))
  }

  @Test(arguments: [
    (["httpbin.org"], true), (["www.example.org"], true), (["spiffe://cluster.local/ns/a/sa/b"], true),
    (["10.0.0.1"], true),
    (["nobody.org", "httpbin.org"], true), (["spiffe://cluster.local/ns/a/sa/B"], false), (["nobody.org"], false),
    (["a.www.example.org"], false),
  ])
  func oneOfTheExpectedNamesMustBeThere(expected: [String], accepted: Bool) throws {
    let listener = try pki.listener(["httpbin.org", "*.example.org", "spiffe://cluster.local/ns/a/sa/b", "10.0.0.1"])
    let client = try pki.client(host: nil) { $0.subjectAltNames = expected }
    let pair = TLSPair(listener, client)
    #expect(pair.handshake().client == (accepted ? .done(0) : .failed))
    if !accepted {
      #expect(pair.client.failure.contains("verify SAN list: the certificate is for httpbin.org, *.example.org"))
    }
    #expect(client.counters.verificationFailures == (accepted ? 0 : 1))
  }

  @Test func aSessionCanVerifyItsOwnName() throws {
    let listener = try pki.listener(["a.org"])
    let client = try pki.client(host: "b.org")
    #expect(TLSPair(listener, client, verifiedHost: "a.org").handshake().client == .done(0))
    #expect(TLSPair(listener, client, verifiedHost: "c.org").handshake().client == .failed)
    #expect(TLSPair(listener, client, verifiedHost: "").handshake().client == .failed)
  }

  @Test(arguments: [
    ("*.example.org", "a.example.org", true), ("*.example.org", "A.EXAMPLE.ORG", true),
    ("*.example.org", "example.org", false),
    ("*.example.org", "a.b.example.org", false), ("*.org", "example.org", false),
    ("a*.example.org", "ab.example.org", false),
    ("*.*.org", "a.b.org", false), ("*", "a", false), ("*.example.org", ".example.org", false),
  ])
  func wildcardsStandForOneWholeLabel(pattern: String, host: String, matches: Bool) {
    #expect(CertificateNames.matches(pattern: pattern, host: host) == matches)
  }
}
