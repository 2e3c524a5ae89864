import Glibc
import Testing

@testable import Transport

/// Two TLS sessions over a socket pair, moved by hand on one thread.
final class TLSPair {
  let server: TLSSession
  let client: TLSSession
  let serverDescriptor: Int32
  let clientDescriptor: Int32
  private let pool = BufferPool()

  init(
    _ listener: TLSListenerContext, _ context: TLSClientContext, serverName: String? = "httpbin.example.com",
    verifiedHost: String? = nil, peer: SocketAddress? = nil
  ) {
    var descriptors: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    precondition(unsafe socketpair(AF_UNIX, kind, 0, &descriptors) == 0)
    serverDescriptor = descriptors[0]
    clientDescriptor = descriptors[1]
    server = TLSSession(accepting: listener, descriptor: serverDescriptor)
    client = TLSSession(
      connecting: context, descriptor: clientDescriptor, serverName: serverName, verifiedHost: verifiedHost, peer: peer)
  }

  deinit {
    close(serverDescriptor)
    close(clientDescriptor)
  }

  /// Runs both handshakes until each has ended in one way or the other.
  @discardableResult
  func handshake() -> (server: TLSProgress, client: TLSProgress) {
    var result: (server: TLSProgress, client: TLSProgress) = (.wantRead, .wantRead)
    for _ in 0..<20 {
      if !result.client.isFinal {
        client.socketBecameReadable()
        result.client = client.handshake()
        if result.client == .failed { shutdown(clientDescriptor, Int32(SHUT_WR)) }
      }
      if !result.server.isFinal {
        server.socketBecameReadable()
        result.server = server.handshake()
        if result.server == .failed { shutdown(serverDescriptor, Int32(SHUT_WR)) }
      }
      if result.client.isFinal, result.server.isFinal { break }
    }
    return result
  }

  /// Reads once, into an array.
  func read(_ session: TLSSession, signalled: Bool = true) -> (progress: TLSProgress, bytes: [UInt8]) {
    if signalled { session.socketBecameReadable() }
    var buffer = ByteBuffer(pool: pool)
    let progress = session.read(into: &buffer)
    return (progress, buffer.withBytes { span in (0..<span.byteCount).map { span.unsafeByte($0) } })
  }

  /// Sends `text` from one side to the other and returns what arrived.
  func carry(_ text: String, from sender: TLSSession, to receiver: TLSSession) -> String {
    let bytes = Array(text.utf8)
    guard case .done(bytes.count) = unsafe sender.write(bytes.span.bytes) else { return "" }
    return String(decoding: read(receiver).bytes, as: UTF8.self)
  }
}

extension RawSpan {
  func unsafeByte(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}

extension TLSProgress {
  var isFinal: Bool {
    switch self {
    case .done, .closed, .failed: return true
    case .wantRead, .wantWrite: return false
    }
  }
}

/// A development CA with the contexts that tests need.
struct TestPKI {
  private let pki: DevelopmentPKI
  var authority: DevelopmentPKI.Pair { pki.authority }

  init() throws {
    pki = try DevelopmentPKI(name: "Test CA")
  }

  func credential(
    _ names: [String], commonName: String = "test", purpose: DevelopmentPKI.Usage = .server, notBefore: Int64? = nil,
    notAfter: Int64? = nil
  ) throws -> DevelopmentPKI.Pair {
    var request = DevelopmentPKI.Request(commonName: commonName, names: names, usage: purpose)
    request.notBefore = notBefore
    request.notAfter = notAfter
    return try pki.issue(request)
  }

  func server(
    _ names: [String] = ["httpbin.example.com"], _ change: (inout TLSServerConfiguration) throws -> Void = { _ in }
  ) throws -> TLSServerContext {
    let credential = try credential(names)
    var configuration = TLSServerConfiguration()
    configuration.certificates = [(credential.certificatePEM, credential.keyPEM)]
    try change(&configuration)
    return try TLSServerContext(configuration)
  }

  /// One chain for every name.
  func listener(
    _ names: [String] = ["httpbin.example.com"], _ change: (inout TLSServerConfiguration) throws -> Void = { _ in }
  ) throws -> TLSListenerContext {
    try TLSListenerContext(chains: [0: server(names, change)]) { _ in 0 }
  }

  func client(
    host: String? = "httpbin.example.com", _ change: (inout TLSClientConfiguration) throws -> Void = { _ in }
  ) throws -> TLSClientContext {
    var configuration = TLSClientConfiguration()
    configuration.authority = .pem(authority.certificatePEM)
    configuration.verifiedHost = host
    try change(&configuration)
    return try TLSClientContext(configuration)
  }
}
