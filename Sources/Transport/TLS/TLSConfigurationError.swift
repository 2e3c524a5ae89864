import COpenSSL

/// Why a TLS context cannot be made.
package struct TLSConfigurationError: Error, CustomStringConvertible {
  /// What is wrong, in words for people; never key material.
  package let description: String

  init(_ description: String) {
    self.description = description
  }

  /// With OpenSSL's reason behind.
  init(openSSL description: String) {
    let code = ERR_peek_last_error()
    let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
    ERR_clear_error()
    self.description = reason.map { "\(description): \($0)" } ?? description
  }
}
