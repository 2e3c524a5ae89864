import Resources
import Wire

/// Annotations of Istio's: unknown, on the wrong kind, with a bad value, given up or still tried out.
enum AnnotationAnalyzer {
  /// The annotations that resources of a gateway's configuration can have, and the kinds that they are for; an empty
  /// list for those of pods and installations, which do nothing on these kinds.
  private static let known: [String: [String]] = [
    "alpha.istio.io/identity": ["*"],
    "alpha.istio.io/kubernetes-serviceaccounts": ["*"],
    "galley.istio.io/analyze-suppress": ["*"],
    "install.operator.istio.io/chart-owner": ["*"],
    "install.operator.istio.io/owner-generation": ["*"],
    "install.operator.istio.io/version": ["*"],
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
    "sidecar.istio.io/controlPlaneAuthPolicy": ["Deployment"],
    "sidecar.istio.io/discoveryAddress": ["Deployment"],
    "sidecar.istio.io/extraStatTags": ["Deployment"],
    "sidecar.istio.io/inject": ["Deployment"],
    "sidecar.istio.io/interceptionMode": ["Deployment"],
    "sidecar.istio.io/logLevel": ["Deployment"],
    "sidecar.istio.io/proxyCPU": ["Deployment"],
    "sidecar.istio.io/proxyImage": ["Deployment"],
    "sidecar.istio.io/proxyMemory": ["Deployment"],
    "sidecar.istio.io/rewriteAppHTTPProbers": ["Deployment"],
    "sidecar.istio.io/statsInclusionPrefixes": ["Deployment"],
    "sidecar.istio.io/statsInclusionRegexps": ["Deployment"],
    "sidecar.istio.io/statsInclusionSuffixes": ["Deployment"],
    "topology.istio.io/controlPlaneClusters": ["*"],
    "traffic.sidecar.istio.io/excludeInboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": ["Deployment"],
    "traffic.sidecar.istio.io/excludeOutboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/includeInboundPorts": ["Deployment"],
    "traffic.sidecar.istio.io/includeOutboundIPRanges": ["Deployment"],
  ]

  /// Istio's own word for features that may change.
  private static let alpha: Set<String> = [
    "networking.istio.io/exportTo", "proxy.istio.io/overrides", "sidecar.istio.io/agentLogLevel",
    "sidecar.istio.io/bootstrapOverride", "sidecar.istio.io/extraStatTags", "sidecar.istio.io/interceptionMode",
    "sidecar.istio.io/logLevel", "sidecar.istio.io/proxyCPU", "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/rewriteAppHTTPProbers",
  ]

  /// Given up, and what to use.
  private static let deprecated: [String: String] = [
    "alpha.istio.io/identity": "", "alpha.istio.io/kubernetes-serviceaccounts": "",
    "networking.istio.io/tunnel": "", "sidecar.istio.io/discoveryAddress": "",
    "sidecar.istio.io/controlPlaneAuthPolicy": "",
    "sidecar.istio.io/inject": " in favor of the \"sidecar.istio.io/inject\" label",
    "sidecar.istio.io/statsInclusionPrefixes": " in favor of proxyStatsMatcher in \"proxy.istio.io/config\"",
    "sidecar.istio.io/statsInclusionRegexps": " in favor of proxyStatsMatcher in \"proxy.istio.io/config\"",
    "sidecar.istio.io/statsInclusionSuffixes": " in favor of proxyStatsMatcher in \"proxy.istio.io/config\"",
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
    guard kinds.contains("*") || kinds.contains(header.kind) else {
      return MessageCatalog.finding(
        "IST0107",
        "Misplaced annotation: \(name) can only be applied to \(kinds.isEmpty ? "Pod" : kinds.joined(separator: ", "))",
        at: location, resource: header.description)
    }
    return checkValue(name, header, location)
  }

  private static func checkValue(_ name: String, _ header: ResourceHeader, _ location: SourceLocation) -> Diagnostic? {
    if let problem = AnnotationValues.problem(name, header.metadata.annotations[name] ?? "") {
      return MessageCatalog.finding(
        "IST0125", "Invalid annotation \(name): \(problem)", at: location, resource: header.description)
    }
    if let successor = deprecated[name] {
      return MessageCatalog.finding(
        "IST0135",
        "Annotation \"\(name)\" has been deprecated\(successor) and may not work in future Istio versions.",
        at: location,
        resource: header.description)
    }
    guard alpha.contains(name) else { return nil }
    return MessageCatalog.finding(
      "IST0136",
      "Annotation \"\(name)\" is part of an alpha-phase feature and may be incompletely supported.", at: location,
      resource: header.description)
  }
}

/// What the values of annotations look like.
private enum AnnotationValues {
  /// Why a value is none, in words; nil: it is good, or anything goes.
  static func problem(_ name: String, _ value: String) -> String? {
    switch name {
    case "galley.istio.io/analyze-suppress":
      let codes = value.split(separator: ",").map { String($0.filter { $0 != " " }) }
      return codes.first { !Suppression.isKnown(code: $0) }.map { "\"\($0)\" is an unknown message code" }
    case "sidecar.istio.io/inject", "sidecar.istio.io/rewriteAppHTTPProbers", "prometheus.istio.io/merge-metrics":
      return ["true", "false"].contains(value.lowercased()) ? nil : "\"\(value)\" is neither true nor false"
    case "sidecar.istio.io/interceptionMode":
      return choice(value, ["NONE", "REDIRECT", "TPROXY"])
    case "networking.istio.io/service-type":
      return choice(value, ["ClusterIP", "LoadBalancer", "NodePort"])
    case "networking.istio.io/traffic-distribution":
      return choice(value, ["PreferClose", "PreferSameNode", "PreferSameZone", "PreferNetwork", "Any"])
    case "networking.istio.io/exportTo":
      return each(value) { ["*", ".", "~"].contains($0) || isName($0) }
    case "traffic.sidecar.istio.io/excludeInboundPorts", "traffic.sidecar.istio.io/excludeOutboundPorts":
      return each(value) { Int($0).map { (1...65535).contains($0) } ?? false }
    case "traffic.sidecar.istio.io/includeInboundPorts":
      return value == "*" ? nil : each(value) { Int($0).map { (1...65535).contains($0) } ?? false }
    case "traffic.sidecar.istio.io/includeOutboundIPRanges", "traffic.sidecar.istio.io/excludeOutboundIPRanges":
      return value == "*" ? nil : each(value) { IPPrefix($0) != nil }
    default: return nil
    }
  }

  private static func choice(_ value: String, _ choices: [String]) -> String? {
    choices.contains(value) ? nil : "\"\(value)\" is none of \(choices.joined(separator: ", "))"
  }

  /// The first part of a list that is not as it should be; an empty list is good.
  private static func each(_ value: String, _ isGood: (String) -> Bool) -> String? {
    let parts = value.split(separator: ",").map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    return parts.first { !isGood($0) }.map { "\"\($0)\" is not valid" }
  }

  private static func isName(_ text: String) -> Bool { HostRules.problem(with: text, allowsWildcard: false) == nil }
}
