import COpenSSL

/// OpenSSL's errors in the form in which Envoy reports BoringSSL's: run-books and dashboards look for it.
enum TLSErrorText {
  /// `TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: …:TLS_error_end`
  static func describe(_ code: UInt, verification: String?) -> String {
    let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "unknown"
    let number = shim_ERR_reason(code)
    let isTLS = shim_ERR_library(code) == ERR_LIB_SSL
    let name = isTLS ? names[number] ?? reason.uppercased().split(separator: " ").joined(separator: "_") : reason
    let packed = isTLS ? tlsLibrary << 24 | Int(numbers[number] ?? number) : Int(code)
    var text = "TLS_error:|\(packed):SSL routines:OPENSSL_internal:\(name)"
    if let verification { text += ":verify cert failed: \(verification)" }
    return text + ":TLS_error_end"
  }

  /// BoringSSL's number of its TLS part.
  private static let tlsLibrary = 16

  /// BoringSSL's numbers where they are not OpenSSL's; alerts (1000 + number) have the same.
  private static let numbers: [Int32: Int32] = [
    SSL_R_CERTIFICATE_VERIFY_FAILED: 125, SSL_R_WRONG_VERSION_NUMBER: 247, SSL_R_UNSUPPORTED_PROTOCOL: 240,
    SSL_R_NO_SHARED_CIPHER: 184, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: 192,
  ]

  /// BoringSSL's names where they are not OpenSSL's.
  private static let names: [Int32: String] = [
    1112: "TLSV1_ALERT_UNRECOGNIZED_NAME", 1116: "TLSV1_ALERT_CERTIFICATE_REQUIRED",
  ]
}
