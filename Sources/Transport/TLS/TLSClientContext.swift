import CLinux
import COpenSSL
import Synchronization

/// How TLS is originated.
package struct TLSClientConfiguration: Sendable {
  /// Where trusted certificates come from.
  package enum Authority: Sendable {
    case system
    case pem([UInt8])
    case file(String)
  }

  package var authority = Authority.system
  package var crlPEM: [UInt8]?
  package var certificate: (chainPEM: [UInt8], keyPEM: [UInt8])?
  /// The name (or address) that the certificate must be for.
  package var verifiedHost: String?
  /// One of these must be a name of the certificate; empty for no such check.
  package var subjectAltNames: [String] = []
  package var insecureSkipVerify = false
  package var alpn: [String] = []

  package init() {}
}

/// The OpenSSL context of one cluster on one worker, with the sessions that its endpoints gave.
@safe
package final class TLSClientContext {
  package let configuration: TLSClientConfiguration
  let context: OpaquePointer
  private var sessions = unsafe [OpaquePointer]()

  /// Sessions kept for resumption; TLS 1.3 tickets are used once.
  private static let keptSessions = 16

  /// - Throws: `TLSConfigurationError` saying which part is wrong.
  package init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
    self.configuration = configuration
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    unsafe SSL_CTX_set_options(context, shim_ssl_options())
    unsafe _ = shim_SSL_CTX_set_mode(context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    unsafe _ = shim_SSL_CTX_set_read_ahead(context, 1)
    unsafe _ = shim_SSL_CTX_set_min_proto_version(context, TLSVersion.tls12.rawValue)
    unsafe _ = shim_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")
    if !configuration.alpn.isEmpty {
      let list = configuration.alpn.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
      unsafe SSL_CTX_set_alpn_protos(context, list, UInt32(list.count))
    }
    try loadTrust()
    if let pair = configuration.certificate {
      unsafe try PEMReader.load(chain: pair.chainPEM, key: pair.keyPEM, into: context)
    }
    keepSessions()
  }

  deinit {
    while let session = unsafe sessions.popLast() { unsafe SSL_SESSION_free(session) }
    unsafe SSL_CTX_free(context)
  }

  private func loadTrust() throws(TLSConfigurationError) {
    guard !configuration.insecureSkipVerify else {
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
      return
    }
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    switch configuration.authority {
    case .system:
      guard let store = unsafe SystemTrust.store else {
        throw TLSConfigurationError("the system has no trusted certificates")
      }
      unsafe X509_STORE_up_ref(store)
      unsafe SSL_CTX_set_cert_store(context, store)
    case .pem(let bytes):
      unsafe try PEMReader.load(authorities: bytes, lists: configuration.crlPEM, into: SSL_CTX_get_cert_store(context))
    case .file(let path):
      guard unsafe SSL_CTX_load_verify_file(context, path) == 1 else {
        throw TLSConfigurationError(openSSL: "cannot load trusted certificates from \(path)")
      }
    }
    try verifyName()
  }

  private func verifyName() throws(TLSConfigurationError) {
    guard let host = configuration.verifiedHost, let parameters = unsafe SSL_CTX_get0_param(context) else { return }
    let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
    unsafe X509_VERIFY_PARAM_set_hostflags(parameters, flags)
    let isSet =
      SocketAddress(literal: host, port: 0) != nil
      ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
      : unsafe X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count)
    guard isSet == 1 else { throw TLSConfigurationError("\"\(host)\" is not a name that can be verified") }
  }

  // MARK: Sessions

  private static let contextIndex = shim_SSL_CTX_new_index()

  private func keepSessions() {
    let mode = Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE)
    unsafe _ = shim_SSL_CTX_set_session_cache_mode(context, mode)
    unsafe SSL_CTX_set_ex_data(context, Self.contextIndex, Unmanaged.passUnretained(self).toOpaque())
    unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
      guard let ssl = unsafe ssl, let session = unsafe session, let context = unsafe SSL_get_SSL_CTX(ssl),
        let pointer = unsafe SSL_CTX_get_ex_data(context, TLSClientContext.contextIndex)
      else { return 0 }
      unsafe Unmanaged<TLSClientContext>.fromOpaque(pointer)._withUnsafeGuaranteedRef { unsafe $0.keep(session) }
      return 1
    }
  }

  private func keep(_ session: OpaquePointer) {
    if unsafe sessions.count == Self.keptSessions { unsafe SSL_SESSION_free(sessions.removeFirst()) }
    unsafe sessions.append(session)
  }

  /// Lets a new connection resume the latest session.
  func offerSession(to ssl: OpaquePointer) {
    guard let session = unsafe sessions.last else { return }
    unsafe _ = SSL_set_session(ssl, session)
    // A ticket of TLS 1.3 is used once (RFC 8446, appendix C.4); a session of TLS 1.2 serves again.
    guard unsafe SSL_SESSION_get_protocol_version(session) >= TLSVersion.tls13.rawValue else { return }
    unsafe sessions.removeLast()
    unsafe SSL_SESSION_free(session)
  }
}

/// The certificates that the system trusts, parsed once for the whole process.
enum SystemTrust {
  // Written once under the lock of a static; stores are reference-counted with atomics.
  nonisolated(unsafe) static let store: OpaquePointer? = {
    guard let store = unsafe X509_STORE_new() else { return nil }
    guard unsafe X509_STORE_set_default_paths(store) == 1 else {
      unsafe X509_STORE_free(store)
      return nil
    }
    return unsafe store
  }()
}
