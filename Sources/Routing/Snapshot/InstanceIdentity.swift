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

  package var pathNormalization = PathNormalization.base
  /// nil: not said.
  package var accessLogFile: String?
  package var accessLogIsJSON: Bool?

  /// ProxyConfig's `concurrency`: workers, 0 for one a processor; nil where none says.
  package var concurrency: Int?

  package init() {}
}
