import COpenSSL

/// What is known of a session once its handshake is done.
extension TLSSession {
  /// Lends the server name that the client sent, in lower case; empty when it sent none.
  package func withServerName<Result>(_ body: (RawSpan) -> Result) -> Result {
    // The span ends with the call, as the array's own span would; but that one cannot be taken from a class's property.
    unsafe serverName.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
  }

  /// `TLSv1.3`
  package var versionName: String { unsafe String(cString: SSL_get_version(ssl)) }

  /// The version in use; nil before the handshake.
  package var version: TLSVersion? { unsafe TLSVersion(rawValue: SSL_version(ssl)) }

  /// OpenSSL's name of the cipher suite: `TLS_AES_128_GCM_SHA256`.
  package var cipherName: String {
    guard let cipher = unsafe SSL_get_current_cipher(ssl), let name = unsafe SSL_CIPHER_get_name(cipher) else {
      return ""
    }
    return unsafe String(cString: name)
  }

  /// The protocol that was agreed on by ALPN, empty for none.
  package var applicationProtocol: String {
    var pointer: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &pointer, &count)
    guard let pointer = unsafe pointer else { return "" }
    return unsafe String(decoding: UnsafeBufferPointer(start: pointer, count: Int(count)), as: UTF8.self)
  }

  /// HTTP/2 was agreed on by ALPN (RFC 9113, section 3.2).
  package var hasChosenHTTP2: Bool {
    var pointer: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &pointer, &count)
    guard let pointer = unsafe pointer, count == 2 else { return false }
    return unsafe pointer[0] == 0x68 && pointer[1] == 0x32
  }

  /// The handshake was shortened by an earlier session.
  package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

  /// All names of the peer's certificate; empty when it showed none.
  package func peerNames() -> [String] {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
    return unsafe CertificateNames.names(of: certificate)
  }

  /// The peer's certificate in words; nil when it showed none.
  package func peerCertificate() -> CertificateFacts? {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
    return unsafe CertificateFacts(certificate)
  }
}
