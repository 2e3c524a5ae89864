import COpenSSL

/// Judges the certificate of a peer, during the handshake so that the peer gets an alert: the chain first (OpenSSL, with the
/// host name if one is to be verified), then the names and fingerprints that the configuration asks for.
///
/// OpenSSL calls it for full handshakes only: a resumed session was judged when it began, and sessions never leave the context
/// (or, as tickets, the policy) under which they were made.
@safe
final class PeerVerifier {
  /// Which certificates are good.
  struct Rules {
    /// Everything is accepted: Istio's `insecureSkipVerify`.
    var acceptsUntrusted = false
    /// One of these must be a name of the certificate; empty for no such check.
    var names: [String] = []
    /// SHA-256 of the public key info; the certificate must match one of these or one of `hashes`.
    var keyHashes: [[UInt8]] = []
    /// SHA-256 of the whole certificate.
    var hashes: [[UInt8]] = []
  }

  private let rules: Rules

  init(_ rules: Rules) {
    self.rules = rules
  }

  /// Makes `context` ask this verifier, which must outlive it.
  func attach(to context: OpaquePointer) {
    unsafe SSL_CTX_set_cert_verify_callback(context, Self.callback, Unmanaged.passUnretained(self).toOpaque())
  }

  private static let callback: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { store, argument in
    guard let store = unsafe store, let argument = unsafe argument else { return 0 }
    return unsafe Unmanaged<PeerVerifier>.fromOpaque(argument)._withUnsafeGuaranteedRef { unsafe $0.judge(store) }
  }

  private func judge(_ store: OpaquePointer) -> Int32 {
    if rules.acceptsUntrusted {
      // Accepted and not verified: the session remembers it, resumed ones too.
      unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
      return 1
    }
    guard unsafe X509_verify_cert(store) == 1 else {
      return unsafe refuse(store, describeChainError(store))
    }
    guard let leaf = unsafe X509_STORE_CTX_get0_cert(store) else { return 0 }
    if !rules.names.isEmpty {
      let names = unsafe CertificateNames.entries(of: leaf)
      guard CertificateNames.contains(rules.names, in: names) else {
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
        return unsafe refuse(
          store,
          "verify SAN list: the certificate is for \(Self.list(names.map(\.text))), not for \(Self.list(rules.names))")
      }
    }
    guard unsafe matchesFingerprint(leaf) else {
      unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
      return unsafe refuse(store, "the certificate is not one of those that are pinned")
    }
    return 1
  }

  private func matchesFingerprint(_ leaf: OpaquePointer) -> Bool {
    if rules.keyHashes.isEmpty && rules.hashes.isEmpty { return true }
    return unsafe rules.hashes.contains(CertificateDigest.certificate(leaf))
      || rules.keyHashes.contains(CertificateDigest.publicKey(leaf))
  }

  private func refuse(_ store: OpaquePointer, _ reason: String) -> Int32 {
    let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    guard let session = unsafe SocketBIO.session(ofSSL: ssl.map { OpaquePointer($0) }) else { return 0 }
    unsafe session._withUnsafeGuaranteedRef { $0.verificationProblem = reason }
    return 0
  }

  private func describeChainError(_ store: OpaquePointer) -> String {
    let error = unsafe X509_STORE_CTX_get_error(store)
    let depth = unsafe X509_STORE_CTX_get_error_depth(store)
    let words = unsafe X509_verify_cert_error_string(Int(error)).map { unsafe String(cString: $0) } ?? "error \(error)"
    var text = "X509_verify_cert: certificate verification error at depth \(depth): \(words)"
    guard let certificate = unsafe X509_STORE_CTX_get_current_cert(store) else { return text }
    unsafe text += " (subject \(CertificateText.name(X509_get_subject_name(certificate)))"
    if error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE {
      unsafe text += ", issuer \(CertificateText.name(X509_get_issuer_name(certificate)))"
    }
    if error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH {
      unsafe text += ", names \(Self.list(CertificateNames.names(of: certificate)))"
    }
    return text + ")"
  }

  /// A short list for a message: what a peer sends must not fill the log.
  private static func list(_ names: [String]) -> String {
    guard !names.isEmpty else { return "no name" }
    let shown = names.prefix(8).map { String($0.prefix(253)) }.joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }
}
