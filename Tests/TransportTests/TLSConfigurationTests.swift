import Testing

@testable import Transport

@Suite struct TLSConfigurationTests {
  let pki: TestPKI

  init() throws { pki = try TestPKI() }

  private func reason(_ change: (inout TLSServerConfiguration) throws -> Void) -> String {
    do {
      _ = try pki.server(["a"], change)
      return "none"
    } catch { return "\(error)" }
  }

  @Test func badCredentialsSayWhatIsWrong() throws {
    let one = try pki.credential(["a"])
    let two = try pki.credential(["a"])
    #expect(reason { $0.certificates = [] } == "there is no certificate")
    #expect(reason { $0.certificates = [([], one.keyPEM)] } == "the certificate is empty")
    #expect(reason { $0.certificates = [(one.certificatePEM, [])] } == "the private key is empty")
    #expect(reason { $0.certificates = [(Array("x".utf8), one.keyPEM)] } == "the certificate is not PEM")
    #expect(
      reason { $0.certificates = [(one.certificatePEM, Array("x".utf8))] } == "the private key is not PEM, or encrypted"
    )
    #expect(
      reason { $0.certificates = [(one.certificatePEM, two.keyPEM)] }
        == "the private key does not belong to the certificate")
    #expect(reason { $0.cipherSuites = ["NONSENSE"] }.hasPrefix("none of the cipher suites is known"))
    #expect(
      reason { $0.clientVerification = .required }
        == "client certificates are asked for, but there is no CA to verify them")
    #expect(reason { $0.certificateHashes = ["12"] } == "\"12\" is not the hexadecimal form of a SHA-256 digest")
    #expect(reason { $0.spkiPins = ["12"] } == "\"12\" is not the base64 form of a SHA-256 digest")
    #expect(
      reason {
        $0.clientVerification = .required; $0.clientCAPEM = [1]
      } == "the CA is not PEM, or empty")
    #expect(CertificateFacts.problem(chainPEM: one.certificatePEM, keyPEM: one.keyPEM) == nil)
    #expect(CertificateFacts.problem(chainPEM: one.certificatePEM, keyPEM: two.keyPEM) != nil)
  }

  /// PEM whose first line of content is no base64.
  private func broken(_ pem: [UInt8]) -> [UInt8] {
    var lines = String(decoding: pem, as: UTF8.self).split(separator: "\n").map(String.init)
    lines[1] = "!!!!" + lines[1].dropFirst(4)
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  @Test func aBrokenCertificateDoesNotHideThoseBehindIt() throws {
    let one = try pki.credential(["a"])
    let authority = pki.authority.certificatePEM
    #expect(
      reason { $0.certificates = [(one.certificatePEM + broken(authority), one.keyPEM)] }
        == "certificate 2 of the chain cannot be read")
    #expect(
      reason {
        $0.clientVerification = .required
        $0.clientCAPEM = authority + broken(authority) + authority
      } == "certificate 2 of the CA cannot be read")
    #expect(
      reason {
        $0.clientVerification = .required
        $0.clientCAPEM = authority
        $0.crlPEM = Array("-----BEGIN X509 CRL-----\n!!!!\n-----END X509 CRL-----\n".utf8)
      } == "revocation list 1 cannot be read")
    // Other things in the same text, words between the certificates and the key itself, do no harm.
    let words = Array("\n# the authority\n".utf8)
    #expect(reason { $0.certificates = [(one.certificatePEM + one.keyPEM + words + authority, one.keyPEM)] } == "none")
  }

  /// On a terminal, where OpenSSL would ask for the pass phrase, a failure of this test is that it waits.
  @Test func anEncryptedKeyIsRefused() throws {
    let one = try pki.credential(["a"])
    let key = Array(Self.encryptedKey.utf8)
    #expect(reason { $0.certificates = [(one.certificatePEM, key)] } == "the private key is not PEM, or encrypted")
  }

  @Test func badAuthoritiesSayWhatIsWrong() throws {
    for (authority, reason) in [
      (TLSClientConfiguration.Authority.pem([]), "the CA is not PEM, or empty"),
      (.file("/nonexistent/ca.pem"), "cannot read /nonexistent/ca.pem"),
      (.file("/etc/hostname"), "/etc/hostname: the CA is not PEM, or empty"),
    ] {
      #expect(throws: TLSConfigurationError.self) { try pki.client { $0.authority = authority } }
      do { _ = try pki.client { $0.authority = authority } } catch { #expect("\(error)" == reason) }
    }
  }

  @Test func factsSayWhatACertificateSays() throws {
    let credential = try pki.credential(
      ["a.org", "10.0.0.1", "::1", "spiffe://td/sa", "me@a.org"], commonName: "some one", notBefore: 1_700_000_000,
      notAfter: 1_700_086_400)
    let chain = CertificateFacts.read(pem: credential.certificatePEM + pki.authority.certificatePEM)
    #expect(chain.count == 2)
    #expect(chain[0].subject == "CN=some one")
    #expect(chain[0].issuer == "CN=Test CA")
    #expect(chain[0].names == ["a.org", "10.0.0.1", "::1", "spiffe://td/sa", "me@a.org"])
    #expect(chain[0].notBefore == 1_700_000_000)
    #expect(chain[0].notAfter == 1_700_086_400)
    #expect(chain[0].daysLeft(now: 1_700_000_000) == 1)
    #expect(chain[0].daysLeft(now: 1_700_086_401) == -1)
    #expect(chain[0].keyType == "EC")
    #expect(chain[0].keyBits == 256)
    #expect(chain[0].serial.count == 32)
    #expect(!chain[0].isSelfSigned && !chain[0].isAuthority)
    #expect(chain[1].isSelfSigned && chain[1].isAuthority)
    #expect(CertificateFacts.isOrdered(chain))
    #expect(!CertificateFacts.isOrdered(chain.reversed()))
  }

  @Test(arguments: ["a,DNS:evil.org", "a b", "", "a\nb"])
  func namesCannotBreakOutOfACertificate(name: String) {
    #expect(throws: TLSConfigurationError.self) { try pki.credential([name]) }
  }

  /// Made for this test, under the pass phrase "secret"; it opens nothing.
  private static let encryptedKey = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgIOlUdxQOR6AICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEESNPzrWQHnWBhijUd+LuSYEgZAE
    pwfdoSg0EuV+GcgF72imIUDl3PqtI+K5+ocjYoygkGfpwvJAWbDZoyDxZ7JfwI+K
    C9NO9ZVMB2djQrkQGvsU38KsNYeUKcUnWl66zuKwqLbKBVsZVSK3DLJElQSitdVC
    mmX1HyJXdQCUQmghZZ2F24t27JA/mh0KF3KAM04pnokD7jiLTeW4TdysaPP1XPo=
    -----END ENCRYPTED PRIVATE KEY-----
    """
}
