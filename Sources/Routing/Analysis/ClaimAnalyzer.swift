import Resources

/// IST0149: routing by claims of a token that nobody verifies.
enum ClaimAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      let keys = service.spec.http.flatMap(\.match).flatMap { ($0.headers + $0.withoutHeaders).map(\.key) }
      return keys.filter { isClaim($0.value) }.map { finding($0, service, context) }
    }
  }

  /// A RequestAuthentication that is there changes nothing: the gateway verifies no tokens.
  private static func finding(
    _ key: Located<String>, _ service: Resource<VirtualService>, _ context: AnalysisContext
  ) -> Diagnostic {
    let gateways = service.spec.gateways.filter { $0.value != "mesh" }
    let selected = gateways.compactMap { context.gateway($0.value, from: service.metadata.namespace) }
    let names = gateways.map { GatewayReference.resolve($0.value, namespace: service.metadata.namespace) }
    let pods = context.knownInstances.filter { instance in
      selected.contains { instance.matches($0.spec.selector.mapValues(\.value)) }
    }
    let text = { (list: [String]) in list.joined(separator: ", ") }
    return MessageCatalog.finding(
      "IST0149",
      "The virtual service uses the JWT claim based routing (key: \(key.value)) but found no request authentication for the gateway (\(text(names))) pod (\(text(pods.map { "\($0.namespace)/\($0.name)" }))). The request authentication must first be applied for the gateway pods to validate the JWT token and make the claims available for routing.",
      at: key.location, resource: service.description,
      help: "the gateway verifies no tokens: the condition never holds")
  }

  private static func isClaim(_ name: String) -> Bool {
    name.lowercased().hasPrefix("@request.auth.claims")
  }
}
