import COpenSSL

/// What `x-forwarded-client-cert` says of the client.
extension TLSSession {
  /// The peer showed a certificate, and it was verified: not merely accepted, as `insecureSkipVerify` does.
  package var hasVerifiedPeer: Bool {
    unsafe SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == Int(X509_V_OK)
  }

  /// The peer's certificate in the form of Envoy's header, with what Istio asks for: `Hash=…;Cert="…";Subject="…";URI=…`.
  /// Empty when it showed none.
  package func forwardedClientCertificate() -> [UInt8] {
    guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return [] }
    var parts: [String] = []
    if let own = unsafe SSL_get_certificate(ssl) {
      parts += unsafe Self.names(own, .uri).map { "By=\($0)" }
    }
    parts.append("Hash=" + Digest.hexadecimal(unsafe CertificateDigest.certificate(certificate)))
    let pem = unsafe CertificateText.bytes { unsafe PEM_write_bio_X509($0, certificate) == 1 }
    parts.append("Cert=\"" + Self.urlEncoded(pem) + "\"")
    parts.append("Subject=\"" + (unsafe CertificateText.name(X509_get_subject_name(certificate))) + "\"")
    parts += unsafe Self.names(certificate, .uri).map { "URI=\($0)" }
    parts += unsafe Self.names(certificate, .dns).map { "DNS=\($0)" }
    return Array(parts.joined(separator: ";").utf8)
  }

  /// The certificate's names of a kind, quoted where they would be read as more than a name.
  private static func names(_ certificate: OpaquePointer, _ kind: CertificateNames.Kind) -> [String] {
    unsafe CertificateNames.entries(of: certificate).filter { $0.kind == kind }.map { name in
      let isPlain = !name.text.contains { ",;=\"\\".contains($0) }
      return isPlain ? name.text : "\"" + escaped(name.text) + "\""
    }
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) }
  }

  /// The characters of PEM that URLs do not have.
  private static func urlEncoded(_ pem: [UInt8]) -> String {
    pem.reduce(into: "") { text, byte in
      switch byte {
      case 0x0A: text += "%0A"
      case 0x20: text += "%20"
      case 0x2B: text += "%2B"
      case 0x2F: text += "%2F"
      case 0x3D: text += "%3D"
      default: text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
  }
}
