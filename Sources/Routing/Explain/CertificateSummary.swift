/// What a certificate says. Routing cannot read certificates: whoever asks for an explanation brings the means.
package struct CertificateSummary: Sendable {
  /// `CN=httpbin.example.com, for httpbin.example.com, until 2027-11-21`
  package let text: String
  /// Whether a client that asked for the server name would take it, dates and issuer apart.
  package let isForServerName: Bool

  package init(text: String, isForServerName: Bool) {
    self.text = text
    self.isForServerName = isForServerName
  }
}

/// Reads the first certificate of a PEM text; nil when it cannot be read.
package typealias CertificateInspector = @Sendable (_ chainPEM: [UInt8], _ serverName: String) -> CertificateSummary?
