import Yams

/// install.istio.io IstioOperator: which gateway instances there are, and settings of the mesh.
package struct IstioOperator: Sendable {
  /// A gateway instance.
  package struct Component: Sendable {
    package var location: SourceLocation
    package var name: Located<String>?
    package var namespace: Located<String>?
    package var enabled: Bool
    package var labels: [String: String]
    /// Readiness probes that overlays put on the instance's Deployment.
    package var readinessProbes: [ReadinessProbe]
    package var isEgress = false

    init(_ reader: FieldReader) {
      location = reader.location
      name = reader.string("name")
      namespace = reader.string("namespace")
      enabled = reader.boolean("enabled")?.value ?? false
      labels = reader.stringMap("label").mapValues(\.value)
      reader.accept("tag", "hub", "spec")
      readinessProbes = reader.object("k8s") { Overlay.readinessProbes($0) } ?? []
    }
  }

  /// Settings of the mesh that concern a gateway.
  package struct MeshConfig: Sendable {
    package enum Encoding: String, Sendable, CaseIterable {
      case text = "TEXT"
      case json = "JSON"
    }

    package enum Normalization: String, Sendable, CaseIterable {
      case automatic = "DEFAULT"
      case none = "NONE"
      case base = "BASE"
      case mergeSlashes = "MERGE_SLASHES"
      case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
    }

    package var accessLogFile: Located<String>?
    package var accessLogEncoding: Located<Encoding>?
    package var pathNormalization: Located<Normalization>?

    init(_ reader: FieldReader) {
      accessLogFile = reader.string("accessLogFile")
      accessLogEncoding = reader.enumeration("accessLogEncoding")
      pathNormalization = reader.object("pathNormalization") { $0.enumeration("normalization") } ?? nil
      reader.notActedOn("accessLogFormat", "defaultHttpRetryPolicy", "connectTimeout", "dnsRefreshRate", "tlsDefaults")
      Self.acceptOthers(reader)
    }

    /// Fields of the mesh that mean nothing to a gateway of its own; free maps and blocks are not looked into.
    private static func acceptOthers(_ reader: FieldReader) {
      reader.accept(
        "outboundTrafficPolicy", "inboundTrafficPolicy", "enableAutoMtls", "trustDomain", "trustDomainAliases",
        "rootNamespace", "defaultConfig", "enableTracing", "enablePrometheusMerge", "extensionProviders",
        "defaultProviders", "discoverySelectors", "ingressClass", "ingressService", "ingressControllerMode",
        "ingressSelector", "proxyListenPort", "proxyInboundListenPort", "proxyHttpPort", "tcpKeepalive",
        "enableEnvoyAccessLogService", "disableEnvoyListenerLog", "configSources", "caCertificates", "ca",
        "certificates", "defaultServiceExportTo", "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo",
        "localityLbSetting", "h2UpgradePolicy", "inboundClusterStatName", "outboundClusterStatName", "thriftConfig",
        "serviceSettings", "verifyCertificateAtClient", "meshMTLS", "protocolDetectionTimeout", "serviceScopeConfigs",
        "disablePolicyChecks", "enableClientSidePolicyCheck", "mixerCheckServer", "mixerReportServer",
        "policyCheckFailOpen", "sidecarToTelemetrySessionAffinity", "reportBatchMaxEntries", "reportBatchMaxTime",
        "enableMixer", "hboneIdleTimeout", "defaultTrafficPolicy")
    }
  }

  /// The installation profile; `default`, `demo` and others bring an ingress gateway of their own.
  package var profile: String?
  package var namespace: Located<String>?
  package var meshConfig: MeshConfig?
  package var components: [Component]

  init(_ reader: FieldReader) {
    profile = reader.string("profile")?.value
    namespace = reader.string("namespace")
    meshConfig = reader.object("meshConfig", MeshConfig.init)
    components = []
    let all = reader.object("components") { components -> [Component] in
      components.accept("base", "pilot", "cni", "istiodRemote", "ztunnel", "telemetry", "policy", "sidecarInjector")
      let ingress = components.objects("ingressGateways", Component.init)
      let egress = components.objects("egressGateways", Component.init).map { component in
        var component = component
        component.isEgress = true
        return component
      }
      return ingress + egress
    }
    components = all ?? []
    reader.accept(
      "tag", "hub", "revision", "values", "installPackagePath", "unvalidatedValues", "addonComponents",
      "defaultRevision", "compatibilityVersion", "resourceSuffix")
  }
}

/// Reads what an IstioOperator component's `k8s` block says about the instance.
private enum Overlay {
  static func readinessProbes(_ reader: FieldReader) -> [ReadinessProbe] {
    reader.isLenient = true
    let overlays = reader.objects("overlays") { overlay -> [ReadinessProbe] in
      overlay.isLenient = true
      let patches = overlay.objects("patches") { patch -> ReadinessProbe? in
        patch.isLenient = true
        guard let path = patch.string("path"), path.value.hasSuffix("readinessProbe") else { return nil }
        return patch.object("value", ReadinessProbe.init)
      }
      return patches.compactMap { $0 }
    }
    return overlays.flatMap { $0 } + [reader.object("readinessProbe", ReadinessProbe.init)].compactMap { $0 }
  }
}
