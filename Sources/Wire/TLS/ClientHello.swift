/// What a TLS client says before anything is encrypted, as far as it decides where the connection goes.
package struct ClientHello: Equatable, Sendable {
  /// The server name (RFC 6066, section 3) in lower case; empty when the client sent none.
  package var serverName: [UInt8] = []
  /// The protocols that the client offers (RFC 7301), in its order: each a length byte and the name, as on the wire.
  package var applicationProtocols: [UInt8] = []

  package init() {}

  /// Whether the client offers a protocol, compared byte for byte.
  package func offers(_ name: StaticString) -> Bool {
    var position = 0
    let list = applicationProtocols.span.raw
    while position < list.byteCount {
      let start = position + 1
      let end = start + Int(list.octets[position])
      guard end <= list.byteCount else { return false }
      if name.withUTF8Buffer({ unsafe list.extracting(start..<end).equals(RawSpan(_unsafeElements: $0)) }) {
        return true
      }
      position = end
    }
    return false
  }

  /// Whether the client is a sidecar or gateway that speaks Istio's mutual TLS: what `AUTO_PASSTHROUGH` asks for.
  package var offersIstioProtocol: Bool { Self.istioProtocols.contains { offers($0) } }

  /// Istio's own protocols.
  package static let istioProtocols: [StaticString] = [
    "istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2",
  ]
}

/// Why bytes are no ClientHello that can be acted on.
package enum ClientHelloRefusal: UInt8, Sendable {
  /// The first bytes are not a TLS handshake record.
  case notTLS
  /// The first handshake message is another one.
  case notClientHello
  /// A length contradicts another, or an extension breaks its format.
  case malformed
  /// Larger than `ClientHelloReader.maxBytes`, or in more records than anybody has a reason for.
  case tooLarge

  /// The alert to answer with (RFC 8446, section 6); nil where the peer does not speak TLS.
  package var alert: UInt8? {
    switch self {
    case .notTLS: return nil
    case .notClientHello: return TLSAlert.unexpectedMessage
    case .malformed: return TLSAlert.decodeError
    case .tooLarge: return TLSAlert.illegalParameter
    }
  }
}

/// Alerts that are sent without a TLS session (RFC 8446, section 6).
package enum TLSAlert {
  package static let unexpectedMessage: UInt8 = 10
  package static let illegalParameter: UInt8 = 47
  package static let decodeError: UInt8 = 50
  package static let internalError: UInt8 = 80
  package static let unrecognizedName: UInt8 = 112

  /// A fatal alert as a plaintext record, in the version that every client reads.
  package static func record(_ description: UInt8) -> [UInt8] { [21, 3, 1, 0, 2, 2, description] }
}
