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
  /// The host name or IP address that the certificate must be for; nil for no such check.
  package var verifiedHost: String?
  /// One of these must be a name of the certificate, exactly; empty for no such check.
  package var subjectAltNames: [String] = []
  /// Neither chain nor names are verified.
  package var insecureSkipVerify = false
  /// In the order of preference, empty for none.
  package var alpn: [String] = []
  package var minimumVersion = TLSVersion.tls12
  package var maximumVersion = TLSVersion.tls13

  package init() {}
}
