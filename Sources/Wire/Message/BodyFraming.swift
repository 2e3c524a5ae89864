/// How the end of a body is known (RFC 9112, section 6.3).
package enum BodyFraming: Sendable, Equatable {
  /// There is no body.
  case none
  /// It has so many bytes.
  case length(Int)
  /// It comes in chunks.
  case chunked
  /// It ends with the connection; responses only.
  case untilClose
}

/// The version a message came in. (`public`, because only public code is inlined into other targets.)
@frozen
public enum HTTPVersion: UInt8, Sendable {
  case http10, http11, http2

  /// As access logs write it.
  package var text: StaticString {
    switch self {
    case .http10: return "HTTP/1.0"
    case .http11: return "HTTP/1.1"
    case .http2: return "HTTP/2"
    }
  }
}
