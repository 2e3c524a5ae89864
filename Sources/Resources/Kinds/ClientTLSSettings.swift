/// `tls` of a traffic policy: how TLS is originated.
package struct ClientTLSSettings: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    case disable = "DISABLE"
    case simple = "SIMPLE"
    case mutual = "MUTUAL"
    case istioMutual = "ISTIO_MUTUAL"
  }

  package var location: SourceLocation
  package var mode: Located<Mode>?
  package var clientCertificate: Located<String>?
  package var privateKey: Located<String>?
  package var caCertificates: Located<String>?
  package var caCrl: Located<String>?
  package var credentialName: Located<String>?
  package var subjectAltNames: [Located<String>]
  package var sni: Located<String>?
  package var insecureSkipVerify: Located<Bool>?

  init(_ reader: FieldReader) {
    location = reader.location
    mode = reader.enumeration("mode")
    clientCertificate = reader.string("clientCertificate")
    privateKey = reader.string("privateKey")
    caCertificates = reader.string("caCertificates")
    caCrl = reader.string("caCrl")
    credentialName = reader.string("credentialName")
    subjectAltNames = reader.strings("subjectAltNames")
    sni = reader.string("sni")
    insecureSkipVerify = reader.boolean("insecureSkipVerify")
    check(reader.context)
  }

  /// The mode in force.
  package var effectiveMode: Mode { mode?.value ?? .disable }

  /// A ConfigMap of another namespace may not be named; secrets have no namespace in their names.
  private func isOwn(_ credential: String, _ namespace: String) -> Bool {
    guard credential.hasPrefix("configmap://") else { return true }
    let parts = credential.dropFirst("configmap://".count).split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 1 || parts[0] == namespace
  }

  private func check(_ context: DecodingContext) {
    if credentialName != nil, clientCertificate != nil || caCertificates != nil || caCrl != nil || privateKey != nil {
      context.error(
        "cannot specify client certificates or CA certificate or CA CRL If credentialName is set", at: location)
    }
    if let credentialName, !isOwn(credentialName.value, context.namespace) {
      context.error(
        "invalid configmap:// credentialName: namespace must match the configuration namespace \"\(context.namespace)\"",
        at: credentialName.location)
    }
    if effectiveMode == .mutual, credentialName == nil {
      if clientCertificate == nil { context.error("client certificate required for mutual tls", at: location) }
      if privateKey == nil { context.error("private key required for mutual tls", at: location) }
    }
    guard insecureSkipVerify?.value == true else { return }
    if effectiveMode == .simple, caCertificates != nil || credentialName != nil || !subjectAltNames.isEmpty {
      context.error(
        "cannot specify CaCertificates or CredentialName or SubjectAltNames when InsecureSkipVerify is set true",
        at: location)
    } else if effectiveMode == .mutual, caCertificates != nil || !subjectAltNames.isEmpty {
      context.error(
        "cannot specify CaCertificates or SubjectAltNames when InsecureSkipVerify is set true", at: location)
    }
  }
}
