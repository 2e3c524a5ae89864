/// Why a connection broke, with the words of the kernel or of OpenSSL for the log.
public enum ConnectionFailure: Error {
  /// It could not be established.
  case connect(String)
  /// It took too long to establish, TLS handshake included.
  case connectTimeout
  /// The TLS handshake failed.
  case handshake(String)
  /// It was reset or broke while in use.
  case reset(String)

  /// For `%UPSTREAM_TRANSPORT_FAILURE_REASON%` and messages.
  package var reason: String {
    switch self {
    case .connect(let text), .handshake(let text), .reset(let text): return text
    case .connectTimeout: return "connect timeout"
    }
  }
}
