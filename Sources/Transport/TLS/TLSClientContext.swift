import COpenSSL

/// The OpenSSL context of one cluster on one worker, with the sessions that its endpoints gave.
@safe
package final class TLSClientContext {
  package let configuration: TLSClientConfiguration
  let context: OpaquePointer
  /// Handshakes of this cluster's connections; for the worker's thread.
  package internal(set) var counters = TLSCounters()
  private var sessions = TLSSessionStore()
  private let verifier: PeerVerifier

  /// - Throws: `TLSConfigurationError` saying which part is wrong.
  package init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
    self.configuration = configuration
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    var rules = PeerVerifier.Rules()
    rules.acceptsUntrusted = configuration.insecureSkipVerify
    rules.names = configuration.subjectAltNames
    verifier = PeerVerifier(rules)
    try unsafe TLSContextDefaults.apply(to: context, isServer: false)
    unsafe _ = shim_SSL_CTX_set_min_proto_version(context, configuration.minimumVersion.rawValue)
    unsafe _ = shim_SSL_CTX_set_max_proto_version(context, configuration.maximumVersion.rawValue)
    let protocols = configuration.alpn.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8.prefix(255)) }
    if !protocols.isEmpty { unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) }
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    unsafe verifier.attach(to: context)
    if !configuration.insecureSkipVerify { try loadTrust() }
    if let pair = configuration.certificate {
      try unsafe PEMReader.load(chain: pair.chainPEM, key: pair.keyPEM, into: context)
    }
    keepSessions()
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  private func loadTrust() throws(TLSConfigurationError) {
    switch configuration.authority {
    case .system:
      guard let store = unsafe TrustStore.system else {
        throw TLSConfigurationError("the system has no trusted certificates (package ca-certificates)")
      }
      if configuration.crlPEM != nil { throw TLSConfigurationError("a revocation list needs its CA beside it") }
      unsafe SSL_CTX_set1_cert_store(context, store)
    case .pem(let bytes):
      try unsafe TrustStore.load(authorities: bytes, lists: configuration.crlPEM, into: context)
    case .file(let path):
      guard let bytes = FileBytes.read(path) else { throw TLSConfigurationError("cannot read \(path)") }
      do {
        try unsafe TrustStore.load(authorities: bytes, lists: configuration.crlPEM, into: context)
      } catch {
        throw TLSConfigurationError("\(path): \(error)")
      }
    }
    guard let host = configuration.verifiedHost else { return }
    guard let parameters = unsafe SSL_CTX_get0_param(context), unsafe Self.expect(host, in: parameters) else {
      throw TLSConfigurationError("\"\(host)\" is not a name that can be verified")
    }
  }

  /// Sets the name that the certificate must be for: in its subjectAltName, wildcards standing for whole labels only.
  static func expect(_ host: String, in parameters: OpaquePointer) -> Bool {
    let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
    unsafe X509_VERIFY_PARAM_set_hostflags(parameters, flags)
    if let address = SocketAddress(literal: host, port: 0) {
      return unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, address.host) == 1
    }
    return unsafe !host.isEmpty && X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
  }

  // MARK: Sessions

  private func keepSessions() {
    let mode = Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
    unsafe _ = shim_SSL_CTX_set_session_cache_mode(context, mode)
    unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
      guard let session = unsafe session, let owner = unsafe SocketBIO.session(ofSSL: ssl) else { return 0 }
      return unsafe owner._withUnsafeGuaranteedRef { unsafe $0.receivedSession(session) ? 1 : 0 }
    }
  }

  /// Takes ownership of a session that the endpoint behind `key` gave.
  func keep(_ session: OpaquePointer, for key: TLSSessionStore.Key) {
    unsafe sessions.put(session, for: key)
  }

  /// Lets a new connection resume the latest session with the same endpoint under the same name.
  func offerSession(to ssl: OpaquePointer, for key: TLSSessionStore.Key) {
    guard let session = unsafe sessions.take(for: key) else { return }
    unsafe _ = SSL_set_session(ssl, session)
    unsafe SSL_SESSION_free(session)
  }

  /// A handshake failed: what was kept for that endpoint may be why.
  func forgetSessions(for key: TLSSessionStore.Key) {
    sessions.removeAll(for: key)
  }
}
