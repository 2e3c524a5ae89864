/// How TLS is terminated for a filter chain.
package struct TLSServerPolicy: Sendable, Hashable {
  /// Istio's `tls.mode`, as far as it terminates.
  package enum Mode: String, Sendable {
    case simple = "SIMPLE"
    case mutual = "MUTUAL"
    case optionalMutual = "OPTIONAL_MUTUAL"
    case istioMutual = "ISTIO_MUTUAL"
  }

  /// TLS protocol versions, ordered.
  package enum Version: Int, Sendable, Comparable {
    case tls10, tls11, tls12, tls13
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// A certificate with its key, and where it came from.
  package struct Certificate: Sendable, Hashable {
    package let chainPEM: [UInt8]
    package let keyPEM: [UInt8]
    /// For messages: `Secret istio-system/httpbin-credential`.
    package let source: String
    /// The secret as istioctl prints it: `kubernetes://httpbin-credential`.
    package let resourceName: String
  }

  package var mode: Mode
  package var minimumVersion: Version
  package var maximumVersion: Version
  /// OpenSSL names for TLS up to 1.2, empty for the default.
  package var cipherSuites: [String]
  package var alpn: [String]
  package var certificates: [Certificate]
  package var clientCAPEM: [UInt8]?
  package var crlPEM: [UInt8]?
  package var subjectAltNames: [String]
  package var spkiPins: [String]
  package var certificateHashes: [String]
  package var acceptsUntrusted: Bool
  /// What was asked for and is not there or cannot be used: `kubernetes://httpbin-credential`.
  package var missingCertificates: [String] = []
  /// Where the CA of client certificates comes from, found or not: `kubernetes://httpbin-credential-cacert`; nil: none.
  package var clientCAName: String?
  /// Why nothing can be served with this policy: no secret, no key. Connections are refused, other chains work.
  package var problem: String?
}
