import COpenSSL

/// The OpenSSL context of one configuration, on one worker.
@safe
package final class TLSServerContext {
  package let configuration: TLSServerConfiguration
  private let context: OpaquePointer
  private let verifier: PeerVerifier
  private let sessionIdentity: [UInt8]
  /// As on the wire: length, name, length, name, …
  private let protocols: [UInt8]

  /// AEAD suites with forward secrecy, those with AES-128 first, as in Envoy.
  private static let defaultCiphers = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
  ]

  /// - Throws: `TLSConfigurationError` saying which part is wrong.
  package init(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
    self.configuration = configuration
    let rules = try Self.rules(configuration)
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
      throw TLSConfigurationError(openSSL: "out of memory")
    }
    unsafe self.context = context
    protocols = configuration.alpn.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8.prefix(255)) }
    sessionIdentity = configuration.sessionIdentity
    verifier = PeerVerifier(rules)
    try unsafe TLSContextDefaults.apply(to: context, isServer: true)
    try loadCredentials()
    try loadAuthority()
    unsafe verifier.attach(to: context)
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    if !protocols.isEmpty { unsafe SSL_CTX_set_alpn_select_cb(context, Self.selectProtocol, this) }
    if configuration.ocspResponse != nil { unsafe shim_SSL_CTX_set_status_callback(context, Self.staple, this) }
  }

  deinit {
    unsafe SSL_CTX_free(context)
  }

  private static func rules(_ configuration: TLSServerConfiguration) throws(TLSConfigurationError) -> PeerVerifier.Rules
  {
    var rules = PeerVerifier.Rules()
    rules.acceptsUntrusted = configuration.acceptsUntrusted
    rules.names = configuration.allowedSANs
    for pin in configuration.spkiPins {
      guard let bytes = Fingerprint.base64(pin) else {
        throw TLSConfigurationError("\"\(pin)\" is not the base64 form of a SHA-256 digest")
      }
      rules.keyHashes.append(bytes)
    }
    for hash in configuration.certificateHashes {
      guard let bytes = Fingerprint.hexadecimal(hash) else {
        throw TLSConfigurationError("\"\(hash)\" is not the hexadecimal form of a SHA-256 digest")
      }
      rules.hashes.append(bytes)
    }
    return rules
  }

  private func loadCredentials() throws(TLSConfigurationError) {
    guard !configuration.certificates.isEmpty else { throw TLSConfigurationError("there is no certificate") }
    // TLS 1.0 and 1.1 need SHA-1 signatures, which OpenSSL 3.0 allows at security level 0 only.
    let isOld = configuration.minimumVersion < .tls12
    let ciphers = configuration.cipherSuites.isEmpty ? Self.defaultCiphers : configuration.cipherSuites
    let list = (ciphers + (isOld ? ["@SECLEVEL=0"] : [])).joined(separator: ":")
    guard unsafe SSL_CTX_set_cipher_list(context, list) == 1 else {
      throw TLSConfigurationError(openSSL: "none of the cipher suites is known")
    }
    for pair in configuration.certificates {
      try unsafe PEMReader.load(chain: pair.chainPEM, key: pair.keyPEM, into: context)
    }
  }

  private func loadAuthority() throws(TLSConfigurationError) {
    guard configuration.clientVerification != .none else { return }
    guard let authority = configuration.clientCAPEM else {
      if configuration.acceptsUntrusted { return }
      throw TLSConfigurationError("client certificates are asked for, but there is no CA to verify them")
    }
    try unsafe TrustStore.load(authorities: authority, lists: configuration.crlPEM, into: context)
    let certificates = unsafe PEMReader.certificates(authority)
    for index in unsafe certificates.indices {
      unsafe shim_add_client_ca(context, certificates[index])
      unsafe X509_free(certificates[index])
    }
  }

  /// Makes a connection whose server name chose this context use it. `SSL_set_SSL_CTX` takes over certificates, cipher list,
  /// verifier and ALPN; what was copied into the connection when it began is said explicitly.
  func apply(to ssl: OpaquePointer) {
    unsafe SSL_set_SSL_CTX(ssl, context)
    unsafe _ = shim_SSL_set_min_proto_version(ssl, configuration.minimumVersion.rawValue)
    unsafe _ = shim_SSL_set_max_proto_version(ssl, configuration.maximumVersion.rawValue)
    switch configuration.clientVerification {
    case .none: unsafe SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
    case .optional: unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
    case .required: unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
    unsafe _ = SSL_set_session_id_context(ssl, sessionIdentity, UInt32(sessionIdentity.count))
  }

  private static let selectProtocol: SSL_CTX_alpn_select_cb_func = { _, chosen, chosenCount, offered, count, argument in
    guard let argument = unsafe argument, let offered = unsafe offered else { return SSL_TLSEXT_ERR_NOACK }
    return unsafe Unmanaged<TLSServerContext>.fromOpaque(argument)._withUnsafeGuaranteedRef { context in
      let list = unsafe UnsafeBufferPointer(start: offered, count: Int(count))
      guard let place = unsafe context.place(in: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(list))) else {
        return SSL_TLSEXT_ERR_NOACK
      }
      unsafe chosen?.pointee = offered + place + 1
      unsafe chosenCount?.pointee = offered[place]
      return SSL_TLSEXT_ERR_OK
    }
  }

  /// Where in the client's list our most preferred common protocol begins, with its length byte.
  private func place(in offered: RawSpan) -> Int? {
    var ours = 0
    while ours < protocols.count {
      let length = Int(protocols[ours])
      var theirs = 0
      while theirs < offered.byteCount {
        let size = Int(Self.byte(offered, theirs))
        if size == length, theirs + size < offered.byteCount,
          (0..<size).allSatisfy({ Self.byte(offered, theirs + 1 + $0) == protocols[ours + 1 + $0] })
        {
          return theirs
        }
        theirs += 1 + size
      }
      ours += 1 + length
    }
    return nil
  }

  private static func byte(_ span: RawSpan, _ index: Int) -> UInt8 {
    unsafe span.unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }

  private static let staple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { ssl, argument in
    guard let ssl = unsafe ssl, let argument = unsafe argument else { return SSL_TLSEXT_ERR_NOACK }
    return unsafe Unmanaged<TLSServerContext>.fromOpaque(argument)._withUnsafeGuaranteedRef { context in
      // OpenSSL frees the copy with the connection.
      guard let response = context.configuration.ocspResponse,
        let copy = unsafe shim_OPENSSL_memdup(response, response.count)
      else { return SSL_TLSEXT_ERR_NOACK }
      return unsafe shim_SSL_set_ocsp_response(ssl, copy, response.count) == 1
        ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
    }
  }
}
