import Resources

/// Annotations of Istio's that are unknown, or stand on the wrong kind.
enum AnnotationAnalyzer {
  /// The annotations that resources of a gateway's configuration can have, and the kinds that they are for; an empty
  /// list for those of pods and installations, which do nothing on these kinds.
  private static let known: [String: [String]] = [
    "galley.istio.io/analyze-suppress": ["*"],
    "install.operator.istio.io/chart-owner": ["*"],
    "install.operator.istio.io/owner-generation": ["*"],
    "install.operator.istio.io/version": ["*"],
    "internal.istio.io/parents": ["*"],
    "internal.istio.io/route-semantics": ["VirtualService"],
    "istio.io/dry-run": ["AuthorizationPolicy"],
    "istio.io/rev": ["*"],
    "networking.istio.io/address-type": ["Gateway"],
    "networking.istio.io/exportTo": ["Service"],
    "networking.istio.io/service-type": ["Gateway"],
    "networking.istio.io/traffic-distribution": ["Service", "ServiceEntry"],
    "networking.istio.io/tunnel": [],
    "ambient.istio.io/bypass-inbound-capture": [],
    "prometheus.istio.io/merge-metrics": [],
    "proxy.istio.io/config": ["Deployment"],
    "proxy.istio.io/overrides": ["Deployment"],
    "sidecar.istio.io/agentLogLevel": ["Deployment"],
    "sidecar.istio.io/bootstrapOverride": ["Deployment"],
    "sidecar.istio.io/extraStatTags": ["Deployment"],
    "sidecar.istio.io/inject": ["Deployment"],
    "sidecar.istio.io/interceptionMode": ["Deployment"],
    "sidecar.istio.io/logLevel": ["Deployment"],
    "sidecar.istio.io/proxyCPU": ["Deployment"],
    "sidecar.istio.io/proxyImage": ["Deployment"],
    "sidecar.istio.io/proxyMemory": ["Deployment"],
    "sidecar.istio.io/rewriteAppHTTPProbers": ["Deployment"],
    "sidecar.istio.io/statsInclusionPrefixes": ["Deployment"],
    "topology.istio.io/controlPlaneClusters": ["*"],
    "traffic.sidecar.istio.io/excludeInboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": ["Deployment"],
    "traffic.sidecar.istio.io/excludeOutboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/includeInboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/includeOutboundIPRanges": ["Deployment"],
  ]

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.resources.headers.flatMap { header in
      header.metadata.annotations.keys.sorted().filter(isIstios).compactMap { check($0, header) }
    }
  }

  /// `istio.io` itself and the domains below it, but not the control plane's own bookkeeping.
  private static func isIstios(_ name: String) -> Bool {
    guard let slash = name.firstIndex(of: "/") else { return false }
    return name[..<slash] == "istio.io" || name[..<slash].hasSuffix(".istio.io")
  }

  private static func check(_ name: String, _ header: ResourceHeader) -> Diagnostic? {
    let location = header.metadata.annotationLocations[name] ?? header.location
    guard let kinds = known[name] else {
      return MessageCatalog.finding(
        "IST0108", "Unknown annotation: \(name)", at: location, resource: header.description,
        help: Suggestion.help(for: name, among: known.keys.sorted()))
    }
    guard !kinds.contains("*"), !kinds.contains(header.kind) else { return nil }
    return MessageCatalog.finding(
      "IST0107",
      "Misplaced annotation: \(name) can only be applied to \(kinds.isEmpty ? "Pod" : kinds.joined(separator: ", "))",
      at: location, resource: header.description)
  }
}
