/// A request method (RFC 9110, section 9). (`public`, because only public code is inlined into other targets.)
@frozen
public enum HTTPMethod: UInt8, Sendable {
  case get, head, post, put, delete, connect, options, trace, patch
  /// Any other token; its bytes are in the head.
  case other

  /// Sending the request twice does what sending it once does (RFC 9110, section 9.2.2).
  package var isIdempotent: Bool {
    switch self {
    case .get, .head, .put, .delete, .options, .trace: return true
    case .post, .connect, .patch, .other: return false
    }
  }

  /// Resolves a method; names are case-sensitive.
  static func resolve(_ name: RawSpan) -> HTTPMethod {
    switch name.byteCount {
    case 3: return name.is("GET") ? .get : name.is("PUT") ? .put : .other
    case 4: return name.is("POST") ? .post : name.is("HEAD") ? .head : .other
    case 5: return name.is("PATCH") ? .patch : name.is("TRACE") ? .trace : .other
    case 6: return name.is("DELETE") ? .delete : .other
    case 7: return name.is("OPTIONS") ? .options : name.is("CONNECT") ? .connect : .other
    default: return .other
    }
  }
}

extension RawSpan {
  /// Compares with a constant, byte for byte.
  package func `is`(_ text: StaticString) -> Bool {
    let bytes = octets
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { known in
      for index in 0..<bytes.count where unsafe bytes[index] != known[index] { return false }
      return true
    }
  }
}
