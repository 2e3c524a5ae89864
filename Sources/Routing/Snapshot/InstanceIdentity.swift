/// Who an instance is: what Gateway selectors and namespaces are compared with.
package struct InstanceIdentity: Sendable, Hashable {
  package var name: String
  package var namespace: String
  package var labels: [String: String]

  package init(name: String = "sallyport", namespace: String = "default", labels: [String: String] = [:]) {
    self.name = name
    self.namespace = namespace
    self.labels = labels
    // Istio's injector adds this label to every workload.
    if self.labels["service.istio.io/canonical-name"] == nil { self.labels["service.istio.io/canonical-name"] = name }
  }

  /// Whether all labels of a selector are ours; an empty selector selects everything.
  package func matches(_ selector: [String: String]) -> Bool {
    selector.allSatisfy { labels[$0.key] == $0.value }
  }
}

/// Settings of the whole instance, from IstioOperator's `meshConfig`.
package struct InstanceSettings: Sendable, Hashable {
  /// Istio's `pathNormalization.normalization`.
  package enum PathNormalization: String, Sendable, CaseIterable {
    case none = "NONE"
    case base = "BASE"
    case mergeSlashes = "MERGE_SLASHES"
    case decodeAndMergeSlashes = "DECODE_AND_MERGE_SLASHES"
  }

  /// What becomes of `x-forwarded-client-cert` (`gatewayTopology.forwardClientCertDetails`). The names are Envoy's.
  package enum ForwardClientCert: String, Sendable, CaseIterable {
    /// Removed.
    case sanitize = "SANITIZE"
    /// Passed on, where the client was verified.
    case forwardOnly = "FORWARD_ONLY"
    /// Passed on with the verified client behind it, where there is one.
    case appendForward = "APPEND_FORWARD"
    /// The verified client in place of what was sent.
    case sanitizeSet = "SANITIZE_SET"
    /// Passed on, whoever sent it.
    case alwaysForwardOnly = "ALWAYS_FORWARD_ONLY"

    /// Whether what a client sent stays.
    package func keepsField(isVerified: Bool) -> Bool {
      switch self {
      case .sanitize, .sanitizeSet: return false
      case .forwardOnly, .appendForward: return isVerified
      case .alwaysForwardOnly: return true
      }
    }

    /// Whether the verified client is said.
    package var addsClient: Bool { self == .appendForward || self == .sanitizeSet }
  }

  package var pathNormalization = PathNormalization.base
  /// Istio's default for gateways.
  package var forwardClientCert = ForwardClientCert.sanitizeSet
  /// nil: not said.
  package var accessLogFile: String?
  package var accessLogIsJSON: Bool?

  /// ProxyConfig's `concurrency`: workers, 0 for one a processor; nil where none says.
  package var concurrency: Int?

  package init() {}
}
