/// How TLS is terminated for some server names.
package struct TLSServerConfiguration: Sendable {
  /// Whether clients must show a certificate.
  package enum ClientVerification: String, Sendable { case none, optional, required }

  /// Chain and key, PEM; perhaps one pair for RSA and one for ECDSA.
  package var certificates: [(chainPEM: [UInt8], keyPEM: [UInt8])] = []
  package var minimumVersion = TLSVersion.tls12
  package var maximumVersion = TLSVersion.tls13
  /// OpenSSL's names for TLS up to 1.2, empty for the default.
  package var cipherSuites: [String] = []
  /// In the order of preference. A client that offers none of them gets no protocol and is served all the same, as in Envoy.
  package var alpn: [String] = []
  package var clientVerification = ClientVerification.none
  package var clientCAPEM: [UInt8]?
  package var crlPEM: [UInt8]?
  /// One of these must be a name of the client's certificate; empty for no such check.
  package var allowedSANs: [String] = []
  /// Base64 of the SHA-256 of public keys; the client's must be one of these, or its certificate one of `certificateHashes`.
  package var spkiPins: [String] = []
  /// Hexadecimal SHA-256 of certificates, with or without colons.
  package var certificateHashes: [String] = []
  /// Client certificates need not lead to a known CA.
  package var acceptsUntrusted = false
  /// A stapled OCSP response, DER; nil for none.
  package var ocspResponse: [UInt8]?
  /// Sessions are resumed only under the same identity, and only where certificates and rules for clients are the same.
  package var identity = ""

  package init() {}

  /// A digest of all that a resumed session would not be asked again: it must be the same where the session began.
  var sessionIdentity: [UInt8] {
    var bytes: [UInt8] = []
    let add = { (part: [UInt8]) in
      // Lengths keep neighbours apart.
      unsafe withUnsafeBytes(of: part.count) { unsafe bytes.append(contentsOf: $0) }
      bytes += part
    }
    add(Array(identity.utf8))
    for pair in certificates { add(pair.chainPEM) }
    add(
      Array(
        "\(clientVerification.rawValue) \(acceptsUntrusted) \(minimumVersion.rawValue) \(maximumVersion.rawValue)".utf8)
    )
    add(clientCAPEM ?? [])
    add(crlPEM ?? [])
    for list in [allowedSANs, spkiPins, certificateHashes, cipherSuites] {
      add([])
      for text in list { add(Array(text.utf8)) }
    }
    return Digest.sha256(bytes)
  }
}
