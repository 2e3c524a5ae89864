import Resources
import Testing

@testable import Routing

/// Istio's own levels and texts (`messages.yaml`) of the messages that `check` can give.
@Suite struct IstioMessages {
  struct Entry: Sendable {
    let severity: Diagnostic.Severity
    let name: String
    /// As in Istio: `%s`, `%q`, `%v` and `%d` stand for arguments. nil: any text is an argument, or ours says more.
    let template: String?

    init(_ severity: Diagnostic.Severity, _ name: String, _ template: String?) {
      self.severity = severity
      self.name = name
      self.template = template
    }
  }

  static let table: [String: Entry] = [
    "IST0002": Entry(.warning, "Deprecated", "Deprecated: %s"),
    // Of gateways and secrets ours names who refers to them, and where they were looked for.
    "IST0101": Entry(.error, "ReferencedResourceNotFound", nil),
    // The errors and warnings of validation, which have no words around them here.
    "IST0106": Entry(.error, "SchemaValidationError", nil),
    "IST0107": Entry(.warning, "MisplacedAnnotation", "Misplaced annotation: %s can only be applied to %s"),
    "IST0108": Entry(.warning, "UnknownAnnotation", "Unknown annotation: %s"),
    "IST0109": Entry(
      .error, "ConflictingMeshGatewayVirtualServiceHosts",
      "The VirtualServices %s associated with mesh gateway define the same host %s which can lead to undefined behavior. This can be fixed by merging the conflicting VirtualServices into a single resource."
    ),
    "IST0112": Entry(
      .error, "VirtualServiceDestinationPortSelectorRequired",
      "This VirtualService routes to a service %q that exposes multiple ports %v. Specifying a port in the destination is required to disambiguate."
    ),
    "IST0118": Entry(
      .info, "PortNameIsNotUnderNamingConvention",
      "Port name %s (port: %d, targetPort: %s) doesn't follow the naming convention of Istio port."),
    "IST0125": Entry(.warning, "InvalidAnnotation", "Invalid annotation %s: %s"),
    "IST0127": Entry(
      .warning, "NoMatchingWorkloadsFound",
      "No matching workloads for this resource with the following labels: %s"),
    "IST0128": Entry(
      .warning, "NoServerCertificateVerificationDestinationLevel",
      "DestinationRule %s in namespace %s has TLS mode set to %s but no caCertificates are set to validate server identity for host: %s"
    ),
    "IST0129": Entry(
      .warning, "NoServerCertificateVerificationPortLevel",
      "DestinationRule %s in namespace %s has TLS mode set to %s but no caCertificates are set to validate server identity for host: %s at port %s"
    ),
    "IST0130": Entry(.warning, "VirtualServiceUnreachableRule", "VirtualService rule %v not used (%s)."),
    "IST0131": Entry(
      .info, "VirtualServiceIneffectiveMatch",
      "VirtualService rule %v match %v is not used (duplicate/overlapping match in rule %v)."),
    "IST0132": Entry(
      .warning, "VirtualServiceHostNotFoundInGateway",
      "one or more host %v defined in VirtualService %s not found in Gateway %s."),
    "IST0133": Entry(.warning, "SchemaWarning", nil),
    "IST0135": Entry(
      .info, "DeprecatedAnnotation",
      "Annotation %q has been deprecated%s and may not work in future Istio versions."),
    "IST0136": Entry(
      .info, "AlphaAnnotation",
      "Annotation %q is part of an alpha-phase feature and may be incompletely supported."),
    "IST0138": Entry(
      .warning, "GatewayDuplicateCertificate",
      "Duplicate certificate in multiple gateways %v may cause 404s if clients re-use HTTP2 connections."),
    "IST0140": Entry(
      .warning, "IngressRouteRulesNotAffected",
      "Subset in virtual service %s has no effect on ingress gateway %s requests"),
    "IST0145": Entry(
      .error, "ConflictingGateways",
      "Conflict with gateways %s (workload selector %s, port %s, hosts %v)."),
    "IST0149": Entry(
      .error, "JwtClaimBasedRoutingWithoutRequestAuthN",
      "The virtual service uses the JWT claim based routing (key: %s) but found no request authentication for the gateway (%s) pod (%s). The request authentication must first be applied for the gateway pods to validate the JWT token and make the claims available for routing."
    ),
    "IST0150": Entry(
      .warning, "ExternalNameServiceTypeInvalidPortName",
      "Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and unmatched traffic for ports serving TCP protocol from being forwarded correctly"
    ),
    "IST0157": Entry(
      .warning, "InvalidTelemetryProvider",
      "The Telemetry %v in namespace %q with empty providers will be ignored."),
    "IST0159": Entry(
      .error, "ConflictingTelemetryWorkloadSelectors",
      "The Telemetries %v in namespace %q select the same workload pod %q, which can lead to undefined behavior."),
    "IST0160": Entry(
      .error, "MultipleTelemetriesWithoutWorkloadSelectors",
      "The Telemetries %v in namespace %q have no workload selector, which can lead to undefined behavior."),
    // Istio says that a credential is invalid, ours what is wrong with it.
    "IST0161": Entry(.error, "InvalidGatewayCredential", nil),
    "IST0162": Entry(
      .warning, "GatewayPortNotDefinedOnService",
      "The gateway is listening on a target port (port %d) that is not defined in the Service associated with its workload instances (Pod selector %s). If you need to access the gateway port through the gateway Service, it will not be available."
    ),
    "IST0165": Entry(
      .warning, "ReferencedInternalGateway",
      "Gateway reference in VirtualService %s is to an implementation-generated internal Gateway: %s."),
    "IST0166": Entry(
      .warning, "IneffectiveSelector",
      "Ineffective selector on Kubernetes Gateway %s. Use the TargetRef field instead."),
    "IST0167": Entry(.warning, "IneffectivePolicy", "The policy has no impact: %s."),
    "IST0171": Entry(
      .warning, "NegativeConditionStatus",
      "A condition with a negative status is present: type=%s, reason=%s, message=%s."),
    "IST0173": Entry(
      .error, "DestinationRuleSubsetNotSelectPods",
      "The Subset %s defined in the DestinationRule does not select any pods. Which may lead to 503 UH (NoHealthyUpstream)."
    ),
    "IST0174": Entry(
      .warning, "UnknownDestinationRuleHost",
      "The host %s defined in the DestinationRule does not match any services in the mesh."),
    "IST0177": Entry(
      .warning, "ConflictingServiceEntryProtocol",
      "Multiple ServiceEntries (%s) define the same host %q and port %d with conflicting protocols (%s)."),
  ]

  @Test func `levels and names in the catalogue are Istio's`() {
    let own = MessageCatalog.all.filter { $0.code.hasPrefix("IST") }
    #expect(Set(own.map(\.code)) == Set(Self.table.keys))
    for message in own {
      let entry = Self.table[message.code]
      #expect(message.severity == entry?.severity && message.title == entry?.name, "\(message.code)")
    }
  }

  private static let cases =
    virtualServiceCases + meshCases + upstreamCases + gatewayCases + serviceCases + policyCases + referenceCases

  @Test(arguments: cases)
  func `what is said is Istio's text with its arguments`(_ testCase: AnalysisTests.Case) {
    for diagnostic in Marked.check(Marked.load(testCase.yaml)) {
      guard let template = Self.table[diagnostic.code]?.template else { continue }
      #expect(Self.fits(diagnostic.message, template), "\(diagnostic.code): \(diagnostic.message)")
    }
  }

  @Test func `every text is said by some case`() {
    let said = Set(Self.cases.flatMap { Marked.check(Marked.load($0.yaml)) }.map(\.code))
    let silent = Self.table.filter { $0.value.template != nil && !said.contains($0.key) }.keys.sorted()
    #expect(silent == [])
  }

  /// Whether a text is a template with something in the place of each argument.
  private static func fits(_ text: String, _ template: String) -> Bool {
    var parts = [""]
    var rest = Substring(template)
    while let character = rest.popFirst() {
      guard character == "%", let verb = rest.popFirst() else {
        parts[parts.count - 1].append(character)
        continue
      }
      if verb == "q" { parts[parts.count - 1].append("\"") }
      parts.append(verb == "q" ? "\"" : "")
    }
    guard text.hasPrefix(parts[0]), text.hasSuffix(parts[parts.count - 1]) else { return false }
    var remaining = text.dropFirst(parts[0].count)
    for part in parts.dropFirst() where !part.isEmpty {
      guard let found = remaining.firstRange(of: part) else { return false }
      remaining = remaining[found.upperBound...]
    }
    return true
  }
}
