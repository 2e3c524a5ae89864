import COpenSSL

/// Fingerprints of a certificate.
enum CertificateDigest {
  /// SHA-256 of the certificate's DER form.
  static func certificate(_ certificate: OpaquePointer) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    return unsafe digest(i2d_X509(certificate, &encoded), encoded)
  }

  /// SHA-256 of the DER form of its public key info: what Istio's `verifyCertificateSpki` pins.
  static func publicKey(_ certificate: OpaquePointer) -> [UInt8] {
    var encoded: UnsafeMutablePointer<UInt8>?
    return unsafe digest(i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded), encoded)
  }

  private static func digest(_ count: Int32, _ encoded: UnsafeMutablePointer<UInt8>?) -> [UInt8] {
    guard let encoded = unsafe encoded, count > 0 else { return [] }
    defer { unsafe CRYPTO_free(encoded, #file, #line) }
    return unsafe Digest.sha256(Array(UnsafeBufferPointer(start: encoded, count: Int(count))))
  }
}
