/// `meshConfig`: settings of the mesh, as far as they concern a gateway.
package struct MeshConfig: Sendable {
  package enum Encoding: String, Sendable, CaseIterable {
    case text = "TEXT"
    case json = "JSON"
  }

  package enum OutboundTrafficPolicy: String, Sendable, CaseIterable {
    case registryOnly = "REGISTRY_ONLY"
    case allowAny = "ALLOW_ANY"
  }

  package enum PathNormalization: String, Sendable, CaseIterable {
    case byDefault = "DEFAULT"
    case none = "NONE"
    case base = "BASE"
    case mergeSlashes = "MERGE_SLASHES"
    case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
  }

  package var accessLogFile: Located<String>?
  package var accessLogEncoding: Located<Encoding>?
  package var accessLogFormat: Located<String>?
  /// A name of `PathNormalization`, as it is written.
  package var pathNormalization: Located<String>?
  /// It does not apply to gateways, which have no route that nobody configured.
  package var outboundTrafficPolicy: Located<OutboundTrafficPolicy>?
  package var trustDomain: Located<String>?
  package var rootNamespace: Located<String>?
  package var defaultConfig: MeshProxyConfig?
  /// For hosts whose DestinationRule says nothing of localities.
  package var localityLbSetting: LocalitySetting?
  package var zoneAwareLbSetting: LocalitySetting?
  /// In milliseconds.
  package var connectTimeout: Located<Int>?
  /// In milliseconds.
  package var dnsRefreshRate: Located<Int>?

  init(_ reader: FieldReader) {
    accessLogFile = reader.string("accessLogFile")
    accessLogEncoding = reader.enumeration("accessLogEncoding")
    accessLogFormat = reader.string("accessLogFormat")
    let normalization =
      reader.object("pathNormalization") { $0.enumeration("normalization", PathNormalization.self) } ?? nil
    pathNormalization = normalization.map { Located($0.value.rawValue, at: $0.location) }
    outboundTrafficPolicy = reader.object("outboundTrafficPolicy") { $0.enumeration("mode") } ?? nil
    trustDomain = reader.string("trustDomain")
    rootNamespace = reader.string("rootNamespace")
    defaultConfig = reader.object("defaultConfig", MeshProxyConfig.init)
    localityLbSetting = reader.object("localityLbSetting") { LocalitySetting($0, isZoneAware: false) }
    zoneAwareLbSetting = reader.object("zoneAwareLbSetting") { LocalitySetting($0, isZoneAware: true) }
    connectTimeout = reader.duration("connectTimeout")
    dnsRefreshRate = reader.duration("dnsRefreshRate")
    if let accessLogFormat, !accessLogFormat.value.isEmpty { reader.notActedOn("accessLogFormat") }
    // Settings of sidecars, of the control plane and of tracing.
    reader.accept(
      "accessLogging", "caCertificates", "certificates", "configSources",
      "defaultDestinationRuleExportTo",
      "defaultHttpRetryPolicy", "defaultProviders", "defaultServiceExportTo", "defaultVirtualServiceExportTo",
      "disableEnvoyListenerLog", "discoverySelectors", "enableAutoMtls", "enableEnvoyAccessLogService",
      "enablePrometheusMerge", "enableTracing", "extensionProviders", "h2UpgradePolicy", "hboneIdleTimeout")
    reader.accept(
      "inboundClusterStatName", "inboundTrafficPolicy", "ingressClass", "ingressControllerMode", "ingressSelector",
      "ingressService", "meshMTLS", "mixerCheckServer", "mixerReportServer",
      "outboundClusterStatName", "protocolDetectionTimeout", "proxyHttpPort", "proxyInboundListenPort",
      "proxyListenPort", "sdsUdsPath", "serviceScopeConfigs", "serviceSettings", "statNameLength", "tcpKeepalive",
      "tlsDefaults", "trustDomainAliases", "verifyCertificateAtClient")
    // The mesh's schema is large and grows: what is not known here is worth a word, not a refusal.
    reader.finish(unknown: .warning)
  }
}
