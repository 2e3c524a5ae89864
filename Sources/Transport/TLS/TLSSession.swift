import CLinux
import COpenSSL

/// What a TLS operation came to.
package enum TLSProgress {
  /// So many bytes were read or written; 0 for a finished handshake.
  case done(Int)
  /// Go on when the socket is readable.
  case wantRead
  /// Go on when the socket is writable.
  case wantWrite
  /// The peer has closed.
  case closed
  /// It broke; `failure` says why.
  case failed
}

/// TLS on one connection, over OpenSSL.
///
/// OpenSSL reads and writes the socket through a BIO of ours that remembers a short read: the kernel has no more then,
/// and the question whether there is another record costs no system call. A message costs one read and one write.
@safe
package final class TLSSession {
  private let ssl: OpaquePointer
  private let descriptor: Int32
  private var isDrained = false
  private var sawEnd = false
  private let client: TLSClientContext?
  private let listener: TLSListenerContext?
  private var verifiedNames = false
  fileprivate(set) var serverName: [UInt8] = []
  /// The filter chain that the server name chose, -1 before.
  package fileprivate(set) var chosenChain: Int32 = -1
  /// After `.failed`: why, with OpenSSL's reason in Envoy's form and the verification error in words.
  package private(set) var failure = ""

  /// The server side of an accepted connection.
  package init(accepting listener: TLSListenerContext, descriptor: Int32) {
    self.listener = listener
    client = nil
    self.descriptor = descriptor
    unsafe ssl = SSL_new(listener.context)!
    attach()
    unsafe SSL_set_accept_state(ssl)
  }

  /// The client side of a connection to an endpoint.
  ///
  /// - Parameter serverName: sent as SNI; nil for none.
  package init(connecting context: TLSClientContext, descriptor: Int32, serverName: String?) {
    client = context
    listener = nil
    self.descriptor = descriptor
    unsafe ssl = SSL_new(context.context)!
    attach()
    unsafe SSL_set_connect_state(ssl)
    if let serverName { unsafe _ = shim_SSL_set_tlsext_host_name(ssl, serverName) }
    unsafe context.offerSession(to: ssl)
  }

  deinit {
    // Without this OpenSSL takes a connection that the peer closed for broken, and its session for not resumable.
    if failure.isEmpty, unsafe SSL_is_init_finished(ssl) == 1 {
      unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    }
    unsafe SSL_free(ssl)
  }

  private func attach() {
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe _ = SSL_set_ex_data(ssl, SocketBIO.sessionIndex, this)
    guard let bio = unsafe BIO_new(SocketBIO.method) else { return }
    unsafe BIO_set_data(bio, this)
    unsafe BIO_set_init(bio, 1)
    unsafe SSL_set_bio(ssl, bio, bio)
  }

  // MARK: Operations

  /// The socket has become readable since the last short read.
  package func socketBecameReadable() {
    isDrained = false
  }

  /// Advances the handshake.
  package func handshake() -> TLSProgress {
    ERR_clear_error()
    let result = unsafe SSL_do_handshake(ssl)
    guard result != 1 else { return finishHandshake() }
    return outcome(result)
  }

  private func finishHandshake() -> TLSProgress {
    guard let client, !client.configuration.subjectAltNames.isEmpty, !client.configuration.insecureSkipVerify else {
      return checkPins()
    }
    if peerNames().contains(where: { client.configuration.subjectAltNames.contains($0) }) { return .done(0) }
    failure =
      "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end: "
      + "the certificate is for \(peerNames().joined(separator: ", ")), none of \(client.configuration.subjectAltNames.joined(separator: ", "))"
    return .failed
  }

  /// Names and fingerprints that a server asks of client certificates.
  private func checkPins() -> TLSProgress {
    guard let listener, chosenChain >= 0, let context = listener.chain(chosenChain) else { return .done(0) }
    let wanted = context.configuration.allowedSANs
    guard !wanted.isEmpty, unsafe SSL_get0_peer_certificate(ssl) != nil else { return .done(0) }
    if peerNames().contains(where: { wanted.contains($0) }) { return .done(0) }
    failure = "the client certificate has none of the names \(wanted.joined(separator: ", "))"
    return .failed
  }

  /// Reads what there is, up to the free space of `buffer`.
  package func read(into buffer: inout ByteBuffer) -> TLSProgress {
    ERR_clear_error()
    var result: Int32 = 0
    let count = unsafe buffer.fill { pointer, room in
      result = unsafe SSL_read(ssl, pointer, Int32(clamping: room))
      return Int(result)
    }
    return count > 0 ? .done(count) : outcome(result)
  }

  /// Writes some of `bytes`. After `wantWrite` the same bytes must be offered again.
  package func write(_ bytes: RawSpan) -> TLSProgress {
    ERR_clear_error()
    let result = unsafe bytes.withUnsafeBytes { unsafe SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
    return result > 0 ? .done(Int(result)) : outcome(result)
  }

  /// Tells the peer that no more comes.
  package func shutdown() -> TLSProgress {
    ERR_clear_error()
    guard unsafe SSL_is_init_finished(ssl) == 1 else { return .done(0) }
    _ = unsafe SSL_shutdown(ssl)
    return .done(0)
  }

  /// Gives record buffers back while nothing is under way; an idle connection then costs what the session needs.
  package func releaseIdleBuffers() {
    _ = unsafe SSL_free_buffers(ssl)
  }

  private func outcome(_ result: Int32) -> TLSProgress {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .wantRead
    case SSL_ERROR_WANT_WRITE: return .wantWrite
    case SSL_ERROR_WANT_CLIENT_HELLO_CB: return .wantRead
    case SSL_ERROR_ZERO_RETURN: return .closed
    case SSL_ERROR_SYSCALL:
      let code = shim_errno()
      if sawEnd || code == 0 { return .closed }
      failure = SystemError.text(of: code)
      return .failed
    default:
      failure = describeError()
      return .failed
    }
  }

  // MARK: Descriptions

  private func describeError() -> String {
    let code = ERR_peek_error()
    guard code != 0 else { return "TLS error" }
    let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "unknown"
    let name = reason.uppercased().split(separator: " ").joined(separator: "_")
    var text = "TLS_error:|\(code):SSL routines:OPENSSL_internal:\(name):TLS_error_end"
    let verification = unsafe SSL_get_verify_result(ssl)
    if verification != X509_V_OK, let words = unsafe X509_verify_cert_error_string(Int(verification)) {
      unsafe text += ": \(String(cString: words))"
      if let client, let host = client.configuration.verifiedHost { text += " (expected \(host))" }
    }
    return text
  }

  /// All names of the peer's certificate.
  package func peerNames() -> [String] {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
    return unsafe CertificateNames.names(of: certificate)
  }

  /// Lends the server name that the client sent, in lower case; empty when it sent none.
  package func withServerName<Result>(_ body: (RawSpan) -> Result) -> Result {
    let name = serverName
    return unsafe body(name.span.bytes)
  }

  /// `TLSv1.3`
  package var versionName: String { unsafe String(cString: SSL_get_version(ssl)) }

  /// The handshake was shortened by an earlier session.
  package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

  // MARK: For the callbacks

  fileprivate func receive(_ pointer: UnsafeMutableRawPointer, _ count: Int, _ bio: OpaquePointer) -> Int32 {
    guard !isDrained else {
      unsafe shim_BIO_retry_read(bio)
      return -1
    }
    let received = unsafe recv(descriptor, pointer, count, 0)
    if received > 0 {
      if received < count { isDrained = true }
      return Int32(received)
    }
    if received == 0 {
      sawEnd = true
      return 0
    }
    if shim_errno() == EAGAIN || shim_errno() == EINTR {
      isDrained = shim_errno() == EAGAIN
      unsafe shim_BIO_retry_read(bio)
    }
    return -1
  }

  fileprivate func transmit(_ pointer: UnsafeRawPointer, _ count: Int, _ bio: OpaquePointer) -> Int32 {
    let sent = unsafe send(descriptor, pointer, count, Int32(MSG_NOSIGNAL))
    if sent >= 0 { return Int32(sent) }
    if shim_errno() == EAGAIN || shim_errno() == EINTR { unsafe shim_BIO_retry_write(bio) }
    return -1
  }

  /// The client said hello: its server name chooses the chain. Returns OpenSSL's verdict for the callback.
  fileprivate func chooseChain(_ hello: OpaquePointer, _ alert: UnsafeMutablePointer<Int32>?) -> Int32 {
    guard let listener else { return SSL_CLIENT_HELLO_ERROR }
    let name = unsafe ClientHelloName.read(hello)
    serverName = name
    chosenChain = unsafe listener.select(name.span.bytes)
    guard chosenChain >= 0 else {
      unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
      return SSL_CLIENT_HELLO_ERROR
    }
    guard let context = listener.chain(chosenChain) else {
      unsafe alert?.pointee = SSL_AD_INTERNAL_ERROR
      return SSL_CLIENT_HELLO_ERROR
    }
    unsafe context.apply(to: hello)
    return SSL_CLIENT_HELLO_SUCCESS
  }

  /// The session of a connection whose callback runs.
  fileprivate static func of(_ ssl: OpaquePointer?) -> Unmanaged<TLSSession>? {
    guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, SocketBIO.sessionIndex) else { return nil }
    return unsafe Unmanaged<TLSSession>.fromOpaque(pointer)
  }

  static let helloCallback: SSL_client_hello_cb_fn = { ssl, alert, _ in
    guard let ssl = unsafe ssl, let session = unsafe TLSSession.of(ssl) else { return SSL_CLIENT_HELLO_ERROR }
    return unsafe session._withUnsafeGuaranteedRef { unsafe $0.chooseChain(ssl, alert) }
  }
}

/// The BIO between OpenSSL and a socket.
enum SocketBIO {
  /// Where a connection's `TLSSession` is kept with OpenSSL.
  static let sessionIndex = shim_SSL_new_index()

  nonisolated(unsafe) static let method: OpaquePointer? = {
    let method = unsafe BIO_meth_new(BIO_get_new_index() | Int32(BIO_TYPE_SOURCE_SINK), "sallyport socket")
    unsafe BIO_meth_set_read(method) { bio, pointer, count in
      guard let bio = unsafe bio, let pointer = unsafe pointer, let data = unsafe BIO_get_data(bio) else { return -1 }
      unsafe shim_BIO_clear_retry(bio)
      return unsafe Unmanaged<TLSSession>.fromOpaque(data)._withUnsafeGuaranteedRef {
        unsafe $0.receive(pointer, Int(count), bio)
      }
    }
    unsafe BIO_meth_set_write(method) { bio, pointer, count in
      guard let bio = unsafe bio, let pointer = unsafe pointer, let data = unsafe BIO_get_data(bio) else { return -1 }
      unsafe shim_BIO_clear_retry(bio)
      return unsafe Unmanaged<TLSSession>.fromOpaque(data)._withUnsafeGuaranteedRef {
        unsafe $0.transmit(pointer, Int(count), bio)
      }
    }
    unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return unsafe method
  }()
}

/// Reads the server name out of a ClientHello (RFC 6066, section 3).
private enum ClientHelloName {
  static func read(_ ssl: OpaquePointer) -> [UInt8] {
    var pointer: UnsafePointer<UInt8>?
    var count = 0
    let type = UInt32(TLSEXT_TYPE_server_name)
    guard unsafe SSL_client_hello_get0_ext(ssl, type, &pointer, &count) == 1, let start = unsafe pointer else {
      return []
    }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    // list length (2), type (1, 0 is host_name), name length (2), name
    guard bytes.count >= 5, bytes[2] == 0 else { return [] }
    let length = Int(bytes[3]) << 8 | Int(bytes[4])
    guard length > 0, length <= 255, bytes.count >= 5 + length else { return [] }
    return bytes[5..<5 + length].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
  }
}
