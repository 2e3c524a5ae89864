import COpenSSL

/// What a TLS listener does with a connection: reads the server name and hands over to the context of its chain.
@safe
package final class TLSListenerContext {
  let context: OpaquePointer
  /// Handshakes of this listener's connections; for the worker's thread.
  package internal(set) var counters = TLSCounters()
  private let chains: [Int32: TLSServerContext]
  private let select: (RawSpan) -> Int32

  /// - Parameters:
  ///   - chains: contexts by chain; a chain without one refuses its handshakes.
  ///   - select: finds the chain for a server name (lower case, empty for none), -1 when nobody owns it.
  package init(chains: [Int32: TLSServerContext], select: @escaping (RawSpan) -> Int32) throws(TLSConfigurationError) {
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    self.chains = chains
    self.select = select
    try unsafe TLSContextDefaults.apply(to: context, isServer: true)
    // The chain narrows these down before OpenSSL chooses a version.
    unsafe _ = shim_SSL_CTX_set_min_proto_version(context, TLSVersion.tls10.rawValue)
    unsafe SSL_CTX_set_client_hello_cb(context, Self.helloCallback, nil)
    unsafe _ = SSL_CTX_set_tlsext_ticket_key_evp_cb(context, Self.ticketCallback)
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  /// What the server name of a connection led to.
  enum Choice {
    case chain(Int32)
    /// No server owns the name.
    case unknownName
    /// A server owns the name and cannot serve it.
    case noCredential(Int32)
  }

  /// Makes `ssl` serve the chain that owns `serverName`.
  func choose(_ serverName: [UInt8], for ssl: OpaquePointer) -> Choice {
    let chain = unsafe select(serverName.span.bytes)
    guard chain >= 0 else {
      counters.unknownServerNames += 1
      return .unknownName
    }
    guard let context = chains[chain] else {
      counters.missingCredentials += 1
      return .noCredential(chain)
    }
    unsafe context.apply(to: ssl)
    return .chain(chain)
  }

  private static let helloCallback: SSL_client_hello_cb_fn = { ssl, alert, _ in
    guard let ssl = unsafe ssl, let session = unsafe SocketBIO.session(ofSSL: ssl) else {
      return SSL_CLIENT_HELLO_ERROR
    }
    let refusal = unsafe session._withUnsafeGuaranteedRef { unsafe $0.clientSaidHello(ssl) }
    guard refusal != 0 else { return SSL_CLIENT_HELLO_SUCCESS }
    unsafe alert?.pointee = refusal
    return SSL_CLIENT_HELLO_ERROR
  }

  private typealias TicketCallback =
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?, Int32
    ) -> Int32

  private static let ticketCallback: TicketCallback = { ssl, name, vector, cipher, mac, isNew in
    guard let name = unsafe name, let vector = unsafe vector else { return -1 }
    if isNew != 0 { return unsafe TicketKeys.shared.seal(name: name, vector: vector, cipher: cipher, mac: mac) }
    let isSingleUse = unsafe SSL_version(ssl) == TLSVersion.tls13.rawValue
    return unsafe TicketKeys.shared.open(name: name, vector: vector, cipher: cipher, mac: mac, isSingleUse: isSingleUse)
  }
}
