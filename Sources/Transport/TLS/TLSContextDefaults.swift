import COpenSSL

/// What all our OpenSSL contexts have in common.
enum TLSContextDefaults {
  /// Key exchange groups, the cheapest first. P-384 is for clients that are bound to it.
  private static let groups = "X25519:P-256:P-384"
  /// For TLS 1.3. AES-128 before AES-256: cheaper, and as good for traffic keys that live for one connection.
  private static let suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
  /// How long a session can be resumed. Envoy's default is 2 h too.
  private static let sessionSeconds = 7200

  /// No renegotiation, no compression, no early data; partial writes; no chain building at handshake time: what is sent is
  /// what the credential holds.
  static func apply(to context: OpaquePointer, isServer: Bool) throws(TLSConfigurationError) {
    unsafe SSL_CTX_set_options(context, shim_ssl_options())
    let mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN
    unsafe _ = shim_SSL_CTX_set_mode(context, Int(mode))
    unsafe _ = shim_SSL_CTX_set_read_ahead(context, 1)
    unsafe _ = shim_SSL_CTX_set_timeout(context, sessionSeconds)
    guard unsafe shim_SSL_CTX_set1_groups_list(context, groups) == 1,
      unsafe SSL_CTX_set_ciphersuites(context, suites) == 1
    else {
      throw TLSConfigurationError(openSSL: "OpenSSL lacks a group or cipher suite")
    }
    guard isServer else { return }
    // Sessions are in tickets: they resume on every worker, and nobody can fill our memory with them.
    unsafe _ = shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    unsafe _ = SSL_CTX_set_num_tickets(context, 1)
  }
}
