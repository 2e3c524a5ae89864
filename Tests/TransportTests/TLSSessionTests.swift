import CLinux
import Testing

@testable import Transport

/// Two sessions over a socket pair, with certificates of our own authority.
@Suite struct TLSSessionTests {
  private struct Ends {
    let server: TLSSession
    let client: TLSSession
  }

  private let authority: DevelopmentPKI
  private let pair: DevelopmentPKI.Pair

  init() throws {
    authority = try DevelopmentPKI(name: "test authority")
    pair = try authority.issue(
      name: "a.example.com", names: ["a.example.com", "*.wild.example.com", "127.0.0.1"], usage: .server)
  }

  private func connect(
    serverName: String?, server change: (inout TLSServerConfiguration) -> Void = { _ in },
    client adjust: (inout TLSClientConfiguration) -> Void = { _ in }, knows known: Set<String> = ["a.example.com"]
  ) throws -> (server: String?, client: String?, chain: Int32) {
    var configuration = TLSServerConfiguration()
    configuration.certificates = [(pair.certificatePEM, pair.keyPEM)]
    change(&configuration)
    let listener = try TLSListenerContext(name: "t", chains: [0: try TLSServerContext(configuration)]) { name in
      let text = unsafe name.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
      return known.contains(text) ? 0 : -1
    }
    var clientConfiguration = TLSClientConfiguration()
    clientConfiguration.authority = .pem(authority.authority.certificatePEM)
    clientConfiguration.verifiedHost = "a.example.com"
    adjust(&clientConfiguration)
    let context = try TLSClientContext(clientConfiguration)
    let ends = try SocketPair()
    let server = TLSSession(accepting: listener, descriptor: ends.first)
    let client = TLSSession(connecting: context, descriptor: ends.second, serverName: serverName)
    let result = handshake(server, client)
    return (result.0, result.1, server.chosenChain)
  }

  /// Advances both until they are done or one has failed; nil stands for success.
  private func handshake(_ server: TLSSession, _ client: TLSSession) -> (String?, String?) {
    var serverDone = false
    var clientDone = false
    for _ in 0..<50 where !(serverDone && clientDone) {
      for (session, isServer) in [(client, false), (server, true)] {
        session.socketBecameReadable()
        switch session.handshake() {
        case .done: if isServer { serverDone = true } else { clientDone = true }
        case .failed, .closed:
          // Let the other side read the alert.
          (isServer ? client : server).socketBecameReadable()
          _ = (isServer ? client : server).handshake()
          return (isServer ? session.failure + " " : server.failure, isServer ? client.failure : session.failure + " ")
        case .wantRead, .wantWrite: continue
        }
      }
    }
    return (serverDone ? nil : "no handshake", clientDone ? nil : "no handshake")
  }

  @Test func `shakes hands when name and authority are right`() throws {
    let result = try connect(serverName: "a.example.com")
    #expect(result.server == nil && result.client == nil && result.chain == 0)
  }

  @Test func `refuses a server name that nobody owns`() throws {
    let result = try connect(serverName: "b.example.com")
    #expect(result.client?.uppercased().contains("UNRECOGNIZED_NAME") == true && result.chain == -1)
  }

  @Test func `refuses a client without a server name`() throws {
    #expect(try connect(serverName: nil).client != nil)
    #expect(try connect(serverName: nil, knows: [""]).client == nil)
  }

  @Test func `does not trust another authority`() throws {
    let other = try DevelopmentPKI(name: "other")
    let result = try connect(
      serverName: "a.example.com", client: { $0.authority = .pem(other.authority.certificatePEM) })
    #expect(result.client?.contains("CERTIFICATE_VERIFY_FAILED") == true)
  }

  @Test(arguments: [
    ("a.example.com", true), ("b.example.com", false), ("x.wild.example.com", true), ("x.y.wild.example.com", false),
    ("wild.example.com", false), ("127.0.0.1", true), ("127.0.0.2", false),
  ])
  func `verifies the name`(_ name: String, _ isGood: Bool) throws {
    let result = try connect(serverName: "a.example.com", client: { $0.verifiedHost = name })
    #expect((result.client == nil) == isGood, "\(result)")
  }

  @Test func `does not fall back to the common name`() throws {
    let nameless = try authority.issue(name: "a.example.com", names: [], usage: .server)
    let result = try connect(
      serverName: "a.example.com", server: { $0.certificates = [(nameless.certificatePEM, nameless.keyPEM)] })
    #expect(result.client?.contains("CERTIFICATE_VERIFY_FAILED") == true)
  }

  @Test func `wants one of the listed names`() throws {
    #expect(
      try connect(
        serverName: "a.example.com",
        client: {
          $0.verifiedHost = nil; $0.subjectAltNames = ["x", "a.example.com"]
        }
      ).client == nil)
    let wrong = try connect(
      serverName: "a.example.com",
      client: {
        $0.verifiedHost = nil; $0.subjectAltNames = ["x"]
      })
    #expect(wrong.client?.contains("none of x") == true)
  }

  @Test func `does not take a client's certificate for a server's`() throws {
    let client = try authority.issue(name: "a.example.com", names: ["a.example.com"], usage: .client)
    let result = try connect(
      serverName: "a.example.com", server: { $0.certificates = [(client.certificatePEM, client.keyPEM)] })
    #expect(result.client?.contains("CERTIFICATE_VERIFY_FAILED") == true)
  }

  @Test func `asks for client certificates`() throws {
    let certificate = try authority.issue(name: "c", names: ["c.example.com"], usage: .client)
    let mutual = { (configuration: inout TLSServerConfiguration) in
      configuration.clientVerification = .required
      configuration.clientCAPEM = authority.authority.certificatePEM
      configuration.maximumVersion = .tls12
    }
    #expect(try connect(serverName: "a.example.com", server: mutual).server != nil)
    let good = try connect(
      serverName: "a.example.com", server: mutual,
      client: { $0.certificate = (certificate.certificatePEM, certificate.keyPEM) })
    #expect(good.server == nil && good.client == nil)
    let wrong = try connect(
      serverName: "a.example.com",
      server: {
        mutual(&$0)
        $0.allowedSANs = ["d.example.com"]
      }, client: { $0.certificate = (certificate.certificatePEM, certificate.keyPEM) })
    #expect(wrong.server?.contains("d.example.com") == true)
  }

  @Test func `says what is wrong with a credential`() throws {
    let other = try DevelopmentPKI(name: "x")
    var configuration = TLSServerConfiguration()
    configuration.certificates = [(pair.certificatePEM, other.authority.keyPEM)]
    #expect(throws: TLSConfigurationError.self) { try TLSServerContext(configuration) }
    configuration.certificates = [([1, 2, 3], pair.keyPEM)]
    #expect { try TLSServerContext(configuration) } throws: { "\($0)".contains("not PEM") }
  }

  @Test func `knows the facts of a certificate`() throws {
    let facts = try #require(CertificateFacts(pem: pair.certificatePEM))
    #expect(facts.subject == "CN=a.example.com" && facts.issuer == "CN=test authority")
    #expect(facts.names == ["a.example.com", "*.wild.example.com", "127.0.0.1"])
    #expect(facts.notAfter - facts.notBefore == Int64(DevelopmentPKI.validDays * 86_400 + 3600))
  }
}

/// Two connected, non-blocking sockets.
private final class SocketPair {
  let first: Int32
  let second: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemError(call: "socketpair") }
    first = ends[0]
    second = ends[1]
  }

  deinit {
    close(first)
    close(second)
  }
}
