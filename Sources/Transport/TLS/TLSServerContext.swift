import CLinux
import COpenSSL

/// How TLS is terminated for some server names.
package struct TLSServerConfiguration: Sendable {
  /// Whether clients must show a certificate.
  package enum ClientVerification: Sendable { case none, optional, required }

  /// Chain and key, PEM; perhaps one pair for RSA and one for ECDSA.
  package var certificates: [(chainPEM: [UInt8], keyPEM: [UInt8])] = []
  package var minimumVersion = TLSVersion.tls12
  package var maximumVersion = TLSVersion.tls13
  /// OpenSSL's names for TLS up to 1.2, empty for the default.
  package var cipherSuites: [String] = []
  package var alpn: [String] = []
  package var clientVerification = ClientVerification.none
  package var clientCAPEM: [UInt8]?
  package var crlPEM: [UInt8]?
  /// One of these must be a name of the client's certificate; empty for no such check.
  package var allowedSANs: [String] = []
  /// Client certificates need not lead to a known CA.
  package var acceptsUntrusted = false
  /// Sessions are resumed only under the same identity.
  package var identity = ""

  package init() {}
}

/// The OpenSSL context of one configuration, on one worker.
@safe
package final class TLSServerContext {
  package let configuration: TLSServerConfiguration
  fileprivate let context: OpaquePointer
  private let protocols: [UInt8]

  /// AEAD suites with forward secrecy.
  private static let defaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

  /// - Throws: `TLSConfigurationError` saying which part is wrong.
  package init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
    self.configuration = configuration
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    protocols = configuration.alpn.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    unsafe TLSServerContext.prepare(context)
    guard !configuration.certificates.isEmpty else { throw TLSConfigurationError("there is no certificate") }
    for pair in configuration.certificates {
      unsafe try PEMReader.load(chain: pair.chainPEM, key: pair.keyPEM, into: context)
    }
    let ciphers =
      configuration.cipherSuites.isEmpty ? Self.defaultCiphers : configuration.cipherSuites.joined(separator: ":")
    // TLS 1.0 and 1.1 need SHA-1 signatures, which OpenSSL 3.0 allows at security level 0 only.
    let isOld = configuration.minimumVersion.rawValue < TLSVersion.tls12.rawValue
    guard unsafe SSL_CTX_set_cipher_list(context, ciphers + (isOld ? ":@SECLEVEL=0" : "")) == 1 else {
      throw TLSConfigurationError(openSSL: "none of the cipher suites is known")
    }
    try loadAuthority()
    unsafe SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  /// What all contexts of servers have in common.
  fileprivate static func prepare(_ context: OpaquePointer) {
    unsafe SSL_CTX_set_options(context, shim_ssl_options())
    unsafe _ = shim_SSL_CTX_set_mode(context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    unsafe _ = shim_SSL_CTX_set_read_ahead(context, 1)
    unsafe _ = shim_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")
    unsafe _ = shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    unsafe _ = SSL_CTX_set_num_tickets(context, 1)
  }

  private func loadAuthority() throws(TLSConfigurationError) {
    guard let authority = configuration.clientCAPEM, configuration.clientVerification != .none else { return }
    unsafe try PEMReader.load(
      authorities: authority, lists: configuration.crlPEM, into: SSL_CTX_get_cert_store(context))
    let certificates = unsafe PEMReader.certificates(authority)
    for index in unsafe certificates.indices {
      unsafe shim_add_client_ca(context, certificates[index])
      unsafe X509_free(certificates[index])
    }
  }

  /// Makes a connection whose server name chose this context use it. `SSL_set_SSL_CTX` takes over certificates; the
  /// rest is said explicitly.
  func apply(to ssl: OpaquePointer) {
    unsafe SSL_set_SSL_CTX(ssl, context)
    unsafe _ = shim_SSL_set_min_proto_version(ssl, configuration.minimumVersion.rawValue)
    unsafe _ = shim_SSL_set_max_proto_version(ssl, configuration.maximumVersion.rawValue)
    var mode = SSL_VERIFY_NONE
    switch configuration.clientVerification {
    case .none: break
    case .optional: mode = SSL_VERIFY_PEER
    case .required: mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
    }
    let acceptAll: SSL_verify_cb = { _, _ in 1 }
    unsafe SSL_set_verify(ssl, mode, configuration.acceptsUntrusted ? acceptAll : nil)
    var identity = Digest.sha256(Array(configuration.identity.utf8))
    unsafe SSL_set_session_id_context(ssl, &identity, UInt32(identity.count))
  }

  private static let selectProtocol: SSL_CTX_alpn_select_cb_func = { _, chosen, chosenCount, offered, count, argument in
    guard let argument = unsafe argument, let offered = unsafe offered else { return SSL_TLSEXT_ERR_NOACK }
    return unsafe Unmanaged<TLSServerContext>.fromOpaque(argument)._withUnsafeGuaranteedRef { context in
      guard !context.protocols.isEmpty else { return SSL_TLSEXT_ERR_NOACK }
      var pointer: UnsafeMutablePointer<UInt8>?
      let result = unsafe SSL_select_next_proto(
        &pointer, chosenCount, context.protocols, UInt32(context.protocols.count), offered, count)
      guard result == OPENSSL_NPN_NEGOTIATED, let pointer = unsafe pointer else { return SSL_TLSEXT_ERR_NOACK }
      // The pointer may lead into our own list, which lives no longer than this call: point into the client's.
      let length = unsafe Int(chosenCount?.pointee ?? 0)
      let wanted = unsafe Array(UnsafeBufferPointer(start: pointer, count: length))
      return unsafe TLSServerContext.point(chosen, to: wanted, in: offered, Int(count))
    }
  }

  private static func point(
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, to wanted: [UInt8], in offered: UnsafePointer<UInt8>,
    _ count: Int
  ) -> Int32 {
    var position = 0
    while position < count {
      let length = unsafe Int(offered[position])
      let candidate = unsafe Array(
        UnsafeBufferPointer(start: offered + position + 1, count: min(length, count - position - 1)))
      if candidate == wanted {
        unsafe chosen?.pointee = offered + position + 1
        return SSL_TLSEXT_ERR_OK
      }
      position += length + 1
    }
    return SSL_TLSEXT_ERR_NOACK
  }
}

/// What a TLS listener does with a connection: reads the server name and hands over to the context of its chain.
@safe
package final class TLSListenerContext {
  let context: OpaquePointer
  private let chains: [Int32: TLSServerContext]
  /// The chain for a server name, -1 when nobody owns it.
  let select: (RawSpan) -> Int32

  /// - Parameters:
  ///   - name: tickets of listeners with the same name are good for each other, over workers and reloads.
  ///   - chains: contexts by chain; a chain without one refuses its handshakes.
  ///   - select: finds the chain for a server name (lower case, empty for none).
  package init(
    name: String, chains: [Int32: TLSServerContext], select: @escaping (RawSpan) -> Int32
  ) throws(TLSConfigurationError) {
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    self.chains = chains
    self.select = select
    unsafe TLSServerContext.prepare(context)
    unsafe _ = shim_SSL_CTX_set_min_proto_version(context, TLSVersion.tls10.rawValue)
    unsafe SSL_CTX_set_client_hello_cb(context, TLSSession.helloCallback, nil)
    var keys = TicketKeys.keys(for: name)
    unsafe _ = shim_SSL_CTX_set_ticket_keys(context, &keys, keys.count)
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  func chain(_ index: Int32) -> TLSServerContext? { chains[index] }
}
