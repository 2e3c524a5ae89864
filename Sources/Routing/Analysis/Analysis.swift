import Resources

/// All analyzers: what takes several resources, or knowledge of a gateway, to be said.
package enum Analysis {
  /// An analyzer: pure, from the context to findings.
  package struct Analyzer: Sendable {
    /// As `--analyzer` and `--list-analyzers` name it.
    package let name: String
    package let summary: String
    let run: @Sendable (AnalysisContext) -> [Diagnostic]
  }

  package static let analyzers: [Analyzer] = [
    Analyzer(
      name: "virtualservice.UnreachableRuleAnalyzer", summary: "rules and matches that are never used",
      run: UnreachableRuleAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.ConnectionRuleAnalyzer", summary: "tls and tcp rules that are never used",
      run: ConnectionRuleAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.PathAnalyzer", summary: "paths, prefixes and rewrites that do not say what is meant",
      run: PathAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.ScopeAnalyzer", summary: "rules that no gateway has, conditions that none meets",
      run: ScopeAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.ConditionAnalyzer", summary: "conditions on requests that do not say what is meant",
      run: ConditionAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.RedirectAnalyzer", summary: "redirects to themselves", run: RedirectAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.PortSelectorAnalyzer", summary: "destinations without a port, of hosts with several",
      run: PortSelectorAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.WeightAnalyzer", summary: "weights of destinations", run: WeightAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.ConflictingMeshGatewayHostsAnalyzer", summary: "VirtualServices of the mesh",
      run: MeshAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.JWTClaimRouteAnalyzer", summary: "routing by claims that nobody verifies",
      run: ClaimAnalyzer.analyze),
    Analyzer(
      name: "virtualservice.LoopAnalyzer", summary: "requests that come back to where they were",
      run: LoopAnalyzer.analyze),
    Analyzer(
      name: "destinationrule.DestinationRuleAnalyzer", summary: "hosts, subsets and verification of DestinationRules",
      run: DestinationRuleAnalyzer.analyze),
    Analyzer(
      name: "destinationrule.UpstreamTLSAnalyzer", summary: "TLS to plaintext ports, plaintext to TLS ports",
      run: UpstreamTLSAnalyzer.analyze),
    Analyzer(
      name: "destinationrule.TrafficPolicyAnalyzer", summary: "policies and subsets that are never in force",
      run: TrafficPolicyAnalyzer.analyze),
    Analyzer(
      name: "serviceentry.ServiceEntryAnalyzer", summary: "ServiceEntries that share a host or a port",
      run: ServiceEntryAnalyzer.analyze),
    Analyzer(
      name: "gateway.GatewayAnalyzer", summary: "servers without routes, Service port or HTTPS",
      run: GatewayAnalyzer.analyze),
    Analyzer(
      name: "gateway.ServerAnalyzer", summary: "servers that are in each other's way, TLS versions",
      run: ServerAnalyzer.analyze),
    Analyzer(
      name: "gateway.CertificateAnalyzer", summary: "certificates and keys of servers",
      run: CertificateAnalyzer.analyze),
    Analyzer(
      name: "policy.PolicyAnalyzer", summary: "selectors and targets of policies, Telemetries that conflict",
      run: PolicyAnalyzer.analyze),
    Analyzer(
      name: "upstreamprobe.ProbeAnalyzer", summary: "UpstreamProbes that are never run", run: ProbeAnalyzer.analyze),
    Analyzer(name: "service.PortNameAnalyzer", summary: "names of Service ports", run: PortNameAnalyzer.analyze),
    Analyzer(
      name: "schema.DuplicateAnalyzer", summary: "resources that are given twice", run: DuplicateAnalyzer.analyze),
    Analyzer(
      name: "annotations.AnnotationAnalyzer", summary: "annotations of Istio's", run: AnnotationAnalyzer.analyze),
  ]

  /// What the analyzers say, or the one of that name says; without what the resources' own annotations suppress.
  package static func run(_ context: AnalysisContext, only name: String? = nil) -> [Diagnostic] {
    analyzers.filter { name == nil || $0.name == name }.flatMap { $0.run(context) }
  }
}
