import Resources

/// Adds to an explanation the rules that are not compiled for the instance at all, because they are meant for another
/// gateway, port or workload: people see them in the file and ask why they do nothing.
struct RuleScopes {
  private let services: [String: Resource<VirtualService>]

  init(_ resources: ResourceSet) {
    services = Dictionary(resources.virtualServices.map { ($0.reference, $0) }) { first, _ in first }
  }

  /// The explanation with those rules in their places among the others.
  func completed(_ explanation: Explanation, for identity: InstanceIdentity) -> Explanation {
    guard let host = explanation.virtualHost, let listener = explanation.listener else { return explanation }
    var result = explanation
    let gateways = explanation.chain.map { [$0.server] } ?? listener.servers
    var missing = host.virtualServices.flatMap { name in
      services[name].map { verdicts(of: $0, gateways: gateways.map(Self.gateway), listener.declaredPort, identity) }
        ?? []
    }
    let known = Set(explanation.rules.map(\.location))
    missing.removeAll { known.contains($0.verdict.location) }
    guard !missing.isEmpty else { return explanation }
    let places = Dictionary(
      host.virtualServices.compactMap { services[$0] }.flatMap(Self.matches).map { ($0.location, $0.place) }
    ) { first, _ in first }
    var rules: [RuleVerdict] = []
    for rule in explanation.rules {
      let place = places[rule.location] ?? .max
      let earlier = missing.filter { $0.verdict.virtualService == rule.virtualService && $0.place < place }
      rules += earlier.map(\.verdict)
      missing.removeAll { $0.verdict.virtualService == rule.virtualService && $0.place < place }
      rules.append(rule)
    }
    // Behind the rule that matched nobody looked.
    let isMatched = explanation.rules.last.map { $0.failure == nil } ?? false
    if !isMatched, explanation.error?.kind != .tlsRedirect { rules += missing.map(\.verdict) }
    result.rules = rules
    return result
  }

  /// `istio-system/my-ingressgateway` of `istio-system/my-ingressgateway:443/https`.
  private static func gateway(_ server: String) -> String {
    String(server.prefix { $0 != ":" })
  }

  /// The matches of a service that are out of scope for all of the gateways, with their places in the file.
  private func verdicts(
    of service: Resource<VirtualService>, gateways: [String], _ port: Int, _ identity: InstanceIdentity
  ) -> [(place: Int, verdict: RuleVerdict)] {
    Self.matches(of: service).compactMap { route, match, location, place in
      let failures = gateways.map {
        RuleScope.failure(of: match, in: service, gateway: $0, port: port, identity: identity)
      }
      guard let first = failures.first, let failure = first, failures.allSatisfy({ $0 != nil }) else { return nil }
      let names = [route.name?.value, match?.name?.value].compactMap { $0 }.filter { !$0.isEmpty }
      let verdict = RuleVerdict(
        name: names.isEmpty ? "default" : names.joined(separator: "."), virtualService: service.reference,
        location: location, conditions: "\(failure.condition) \(failure.wanted)", failure: failure)
      return (place, verdict)
    }
  }

  /// Every match of a service with its place in it; a route without matches is one.
  private static func matches(
    of service: Resource<VirtualService>
  ) -> [(route: HTTPRoute, match: HTTPMatch?, location: String, place: Int)] {
    service.spec.http.flatMap { route in
      (route.match.isEmpty ? [nil] : route.match.map(Optional.init)).map { (route, $0) }
    }.enumerated().map { ($1.0, $1.1, "\($1.1?.location ?? $1.0.location)", $0) }
  }
}
