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
}
