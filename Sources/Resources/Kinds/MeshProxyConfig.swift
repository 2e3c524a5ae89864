/// Settings of an instance: `meshConfig.defaultConfig`, or the annotation `proxy.istio.io/config` of its pods. Most of
/// them concern Envoy; what a gateway without Envoy acts on is here.
package struct MeshProxyConfig: Sendable {
  /// Where a pod carries its own settings.
  package static let annotation = "proxy.istio.io/config"

  /// What becomes of `x-forwarded-client-cert`, in Istio's and Envoy's names.
  package enum ForwardClientCert: String, Sendable, CaseIterable {
    case undefined = "UNDEFINED"
    case sanitize = "SANITIZE"
    case forwardOnly = "FORWARD_ONLY"
    case appendForward = "APPEND_FORWARD"
    case sanitizeSet = "SANITIZE_SET"
    case alwaysForwardOnly = "ALWAYS_FORWARD_ONLY"
  }

  /// What stands in front of the instance.
  package struct GatewayTopology: Sendable {
    package var location: SourceLocation
    package var forwardClientCertDetails: Located<ForwardClientCert>?
    /// Every connection begins with a PROXY protocol header (`proxyProtocol: {}`).
    package var acceptsProxyProtocol: Bool

    init(_ reader: FieldReader) {
      location = reader.location
      acceptsProxyProtocol = reader.has("proxyProtocol")
      reader.accept("proxyProtocol")
      forwardClientCertDetails = reader.enumeration("forwardClientCertDetails")
    }
  }

  package var gatewayTopology: GatewayTopology?

  init(_ reader: FieldReader) {
    reader.isLenient = true
    gatewayTopology = reader.object("gatewayTopology", GatewayTopology.init)
  }

  /// From the text of the annotation; nil when it is not a YAML mapping.
  package init?(annotation text: String) {
    guard case .mapping(let mapping)? = try? Composer.document(text.utf8Span.span) else { return nil }
    let context = DecodingContext(file: Self.annotation)
    self.init(FieldReader(mapping, at: SourceLocation(file: Self.annotation, line: 1, column: 1), context))
  }
}
