import CLinux
import COpenSSL

/// TLS on one connection, over OpenSSL.
///
/// OpenSSL reads and writes the socket through a BIO of ours that remembers a short read: the kernel has no more then, and the
/// question whether there is another record costs no system call. A message costs one read and one write.
///
/// A session is used on one thread, which is why the callbacks that OpenSSL makes during a call find it as it is.
@safe
package final class TLSSession {
  let ssl: OpaquePointer
  let client: TLSClientContext?
  let listener: TLSListenerContext?
  private let descriptor: Int32
  private let resumptionKey: TLSSessionStore.Key

  /// The kernel has no more bytes until it says so.
  private var isDrained = false
  /// The kernel has said that the peer closed: an end of the stream waits behind the bytes, and a short read must not hide it.
  private var peerHasClosed = false
  /// The stream has ended below TLS.
  private(set) var hasSeenEnd = false
  private var isFinished = false
  /// OpenSSL has given up on the connection: it must not be asked to say goodbye.
  private var isBroken = false
  private var hasSaidGoodbye = false
  private var socketError: Int32 = 0

  /// Why the peer's certificate was refused, for `failure`.
  var verificationProblem: String?
  /// Why we refused the client's hello, for `failure`.
  private var helloRefusal: String?
  private(set) var serverName: [UInt8] = []
  /// The filter chain that the server name chose, -1 before.
  package private(set) var chosenChain: Int32 = -1
  /// After `.failed`: why, with OpenSSL's reason in Envoy's form and the verification error in words; never key material.
  package private(set) var failure = ""
  /// The peer closed the connection without TLS's goodbye (close_notify): whoever cut it, what came last may be incomplete. It
  /// matters where nothing but the end of the connection ends a message (RFC 9112, section 9.8).
  package private(set) var isTruncated = false
  /// Encrypted bytes received from the socket.
  package private(set) var bytesReceived = 0
  /// Encrypted bytes given to the socket.
  package private(set) var bytesSent = 0

  /// The server side of an accepted connection.
  package init(accepting listener: TLSListenerContext, descriptor: Int32) {
    self.listener = listener
    client = nil
    self.descriptor = descriptor
    resumptionKey = TLSSessionStore.Key(peer: nil, serverName: nil, verifiedHost: nil)
    unsafe ssl = Self.make(listener.context)
    unsafe SocketBIO.attach(self, to: ssl)
    unsafe SSL_set_accept_state(ssl)
  }

  /// The client side of a connection to an endpoint.
  ///
  /// - Parameters:
  ///   - serverName: sent as SNI; nil for none. An IP address is never sent (RFC 6066).
  ///   - verifiedHost: the name that the certificate must be for, instead of the configuration's.
  ///   - peer: sessions are kept for each endpoint apart when it is given.
  ///   - offersHTTP2: offers `h2` alone by ALPN, instead of what the configuration says.
  package init(
    connecting context: TLSClientContext, descriptor: Int32, serverName: String?, verifiedHost: String? = nil,
    peer: SocketAddress? = nil, offersHTTP2: Bool = false
  ) {
    client = context
    listener = nil
    self.descriptor = descriptor
    resumptionKey = TLSSessionStore.Key(peer: peer, serverName: serverName, verifiedHost: verifiedHost)
    unsafe ssl = Self.make(context.context)
    unsafe SocketBIO.attach(self, to: ssl)
    unsafe SSL_set_connect_state(ssl)
    if let serverName, SocketAddress(literal: serverName, port: 0) == nil {
      unsafe _ = shim_SSL_set_tlsext_host_name(ssl, serverName)
    }
    if offersHTTP2 { unsafe _ = SSL_set_alpn_protos(ssl, Self.http2Only, UInt32(Self.http2Only.count)) }
    if let verifiedHost, let parameters = unsafe SSL_get0_param(ssl) {
      // A name that cannot be verified must not be skipped: nothing is called by the empty name that stays in force then.
      if unsafe !TLSClientContext.expect(verifiedHost, in: parameters) {
        helloRefusal = "\"\(verifiedHost)\" cannot be verified"
      }
    }
    unsafe context.offerSession(to: ssl, for: resumptionKey)
  }

  deinit {
    // OpenSSL takes a session out of use when its connection ends without goodbye; ours ended well unless it broke.
    if !isBroken { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
    unsafe SSL_free(ssl)
  }

  /// As on the wire: length, name.
  private static let http2Only: [UInt8] = [2, 0x68, 0x32]

  private static func make(_ context: OpaquePointer) -> OpaquePointer {
    // It fails for want of memory only, and Swift itself ends the process then.
    guard let ssl = unsafe SSL_new(context) else { fatalError("out of memory") }
    return unsafe ssl
  }

  // MARK: Operations

  /// The socket has become readable since the last short read.
  ///
  /// - Parameter peerClosed: the kernel has said that the peer sends no more, or that the connection broke.
  package func socketBecameReadable(peerClosed: Bool = false) {
    isDrained = false
    if peerClosed { peerHasClosed = true }
  }

  /// Advances the handshake; `.done(0)` when it is finished.
  package func handshake() -> TLSProgress {
    if client != nil, let helloRefusal {
      failure = helloRefusal
      return .failed
    }
    clearErrors()
    let result = unsafe SSL_do_handshake(ssl)
    guard result == 1 else {
      let progress = outcome(result)
      if progress == .failed || progress == .closed { countFailure(progress) }
      return progress
    }
    if !isFinished {
      isFinished = true
      count { counters in
        counters.handshakes += 1
        if isResumed { counters.resumed += 1 }
      }
    }
    return .done(0)
  }

  /// Reads what there is, up to the free space of `buffer`, at most one record.
  package func read(into buffer: inout ByteBuffer) -> TLSProgress {
    // Nothing in the kernel, nothing in OpenSSL: not worth a call.
    if isDrained, unsafe SSL_has_pending(ssl) == 0 { return .wantRead }
    clearErrors()
    var result: Int32 = 0
    let count = unsafe buffer.fill { pointer, room in
      result = unsafe SSL_read(ssl, pointer, Int32(clamping: room))
      return Int(result)
    }
    return count > 0 ? .done(count) : outcome(result)
  }

  /// Writes some of `bytes`. After `wantWrite` the same bytes must be offered again, from wherever they lie then.
  package func write(_ bytes: RawSpan) -> TLSProgress {
    guard bytes.byteCount > 0 else { return .done(0) }
    clearErrors()
    let result = unsafe bytes.withUnsafeBytes { unsafe SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
    return result > 0 ? .done(Int(result)) : outcome(result)
  }

  /// Tells the peer that no more comes, once.
  package func shutdown() -> TLSProgress {
    guard isFinished, !isBroken, !hasSaidGoodbye else { return .done(0) }
    clearErrors()
    let result = unsafe SSL_shutdown(ssl)
    guard result < 0 else {
      hasSaidGoodbye = true
      return .done(0)
    }
    return outcome(result)
  }

  /// Gives record buffers back while nothing is under way; an idle connection then costs what the session needs.
  package func releaseIdleBuffers() {
    // It declines by itself when a record is half read or half written.
    _ = unsafe SSL_free_buffers(ssl)
  }

  /// Whether OpenSSL holds bytes that no event of the socket will announce: with edge triggering, read on.
  package var hasBufferedInput: Bool { unsafe SSL_has_pending(ssl) == 1 }

  // MARK: Outcomes

  /// OpenSSL looks at the queue of errors to tell a failure from a wait: what others left there must not mislead it.
  private func clearErrors() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  private func outcome(_ result: Int32) -> TLSProgress {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .wantRead
    case SSL_ERROR_WANT_WRITE: return .wantWrite
    case SSL_ERROR_ZERO_RETURN: return ended()
    default:
      if hasSeenEnd, helloRefusal == nil { return ended() }
      isBroken = true
      failure = describeFailure()
      ERR_clear_error()
      return .failed
    }
  }

  private func ended() -> TLSProgress {
    isTruncated = hasSeenEnd
    ERR_clear_error()
    return .closed
  }

  private func describeFailure() -> String {
    if let helloRefusal { return helloRefusal }
    let code = ERR_peek_error()
    if code == 0 { return socketError != 0 ? SystemError.text(of: socketError) : "TLS error" }
    var detail = verificationProblem
    if detail != nil, let host = resumptionKey.verifiedHost ?? client?.configuration.verifiedHost {
      detail?.append("; expected \(host)")
    }
    return TLSErrorText.describe(code, verification: detail)
  }

  private func countFailure(_ progress: TLSProgress) {
    if let client { client.forgetSessions(for: resumptionKey) }
    // Refusals at the hello are counted where they are made.
    guard helloRefusal == nil else { return }
    count { counters in
      if progress == .closed {
        counters.abandoned += 1
      } else if verificationProblem != nil || failure.contains("PEER_DID_NOT_RETURN_A_CERTIFICATE") {
        counters.verificationFailures += 1
      } else {
        counters.otherFailures += 1
      }
    }
  }

  private func count(_ change: (inout TLSCounters) -> Void) {
    if let listener { change(&listener.counters) }
    if let client { change(&client.counters) }
  }

  // MARK: For OpenSSL's callbacks

  func receive(_ pointer: UnsafeMutableRawPointer, _ count: Int, _ bio: OpaquePointer) -> Int32 {
    guard !isDrained else {
      unsafe shim_BIO_retry_read(bio)
      return -1
    }
    let received = unsafe recv(descriptor, pointer, count, 0)
    if received > 0 {
      bytesReceived += received
      if received < count, !peerHasClosed { isDrained = true }
      return Int32(received)
    }
    if received == 0 {
      hasSeenEnd = true
      return 0
    }
    switch shim_errno() {
    case EAGAIN:
      isDrained = true
      unsafe shim_BIO_retry_read(bio)
    case EINTR: unsafe shim_BIO_retry_read(bio)
    default: socketError = shim_errno()
    }
    return -1
  }

  func transmit(_ pointer: UnsafeRawPointer, _ count: Int, _ bio: OpaquePointer) -> Int32 {
    let sent = unsafe send(descriptor, pointer, count, Int32(MSG_NOSIGNAL))
    if sent >= 0 {
      bytesSent += sent
      return Int32(sent)
    }
    switch shim_errno() {
    case EAGAIN, EINTR, ENOBUFS: unsafe shim_BIO_retry_write(bio)
    default: socketError = shim_errno()
    }
    return -1
  }

  /// The client said hello: its server name chooses the chain. Returns the alert to refuse it with, 0 to go on.
  func clientSaidHello(_ hello: OpaquePointer) -> Int32 {
    guard let listener else { return SSL_AD_INTERNAL_ERROR }
    guard case .name(let name) = unsafe ClientHelloName.read(hello) else {
      helloRefusal = "malformed server name in the TLS ClientHello"
      return SSL_AD_DECODE_ERROR
    }
    serverName = name
    let text = String(decoding: name, as: UTF8.self)
    switch unsafe listener.choose(name, for: hello) {
    case .chain(let chain):
      chosenChain = chain
      return 0
    case .unknownName:
      helloRefusal = text.isEmpty ? "filter_chain_not_found: no server name" : "filter_chain_not_found: \(text)"
      return SSL_AD_UNRECOGNIZED_NAME
    case .noCredential(let chain):
      chosenChain = chain
      helloRefusal = "no usable certificate for \(text)"
      return SSL_AD_HANDSHAKE_FAILURE
    }
  }

  /// The server gave a session; true when it was taken over.
  func receivedSession(_ session: OpaquePointer) -> Bool {
    guard let client else { return false }
    unsafe client.keep(session, for: resumptionKey)
    return true
  }
}
