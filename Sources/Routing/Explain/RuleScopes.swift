import Resources

/// Adds to an explanation the rules that are not compiled for the instance at all, because they are meant for another
/// gateway, port or workload: people see them in the file and ask why they do nothing.
struct RuleScopes {
  private let services: [String: Resource<VirtualService>]
  /// In the order in which they are compiled.
  private let ordered: [Resource<VirtualService>]

  init(_ resources: ResourceSet) {
    ordered = resources.virtualServices.sorted { $0.orderKey < $1.orderKey }
    services = Dictionary(resources.virtualServices.map { ($0.reference, $0) }) { first, _ in first }
  }

  /// The explanation with those rules in their places among the others.
  func completed(_ explanation: Explanation, for identity: InstanceIdentity) -> Explanation {
    if explanation.carries != nil { return completedBytes(explanation, for: identity) }
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
        RuleScope.failure(
          of: match.map(RuleScope.Conditions.init), in: service, gateway: $0, port: port, identity: identity)
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

  // MARK: Bytes

  /// A match of a `tcp` or `tls` rule.
  private struct BytesMatch {
    let location: String
    let scope: RuleScope.Conditions?
    let serverNames: [String]
  }

  /// The same for rules of bytes, which belong to gateways and not to hosts.
  private func completedBytes(_ explanation: Explanation, for identity: InstanceIdentity) -> Explanation {
    guard let kind = explanation.carries, let listener = explanation.listener else { return explanation }
    let gateways = (explanation.chain.map { [$0.server] } ?? listener.servers).map(Self.gateway)
    var all: [RuleVerdict] = []
    for service in ordered {
      let bound = gateways.filter { VirtualHostBuilder.isBound(service, to: $0) }
      let isVisible = Visibility.reaches(
        identity.namespace, from: service.metadata.namespace, service.spec.exportTo.map(\.value))
      guard !bound.isEmpty, isVisible else { continue }
      for match in Self.bytesMatches(of: service, kind) {
        if let compiled = explanation.rules.first(where: { $0.location == match.location }) {
          all.append(compiled)
          // Behind the rule that matched nobody looked.
          guard compiled.failure != nil else { return explanation.replacingRules(all) }
          continue
        }
        let failures = bound.map {
          RuleScope.failure(of: match.scope, in: service, gateway: $0, port: listener.declaredPort, identity: identity)
        }
        let scope = failures.contains { $0 == nil } ? nil : failures[0]
        guard let failure = scope ?? Self.nameFailure(match, explanation) else { continue }
        all.append(
          RuleVerdict(
            name: kind.rawValue, virtualService: service.reference, location: match.location,
            conditions: "\(failure.condition) \(failure.wanted)", failure: failure))
      }
    }
    return explanation.replacingRules(all)
  }

  /// Why a `tls` rule has no part in the filter chain: its names are others, or less than the chain's.
  private static func nameFailure(_ match: BytesMatch, _ explanation: Explanation) -> RuleVerdict.Failure? {
    guard !match.serverNames.isEmpty else { return nil }
    let name = explanation.request.serverName?.lowercased() ?? ""
    let isCovered = match.serverNames.contains { HostName.covers($0, name) }
    let owner =
      isCovered
      ? explanation.chain.map { ", which the filter chain \($0.serverNames.joined(separator: ",")) takes" } : nil
    let reason = isCovered && owner == nil ? ", which no server of the gateway has" : owner ?? ""
    return .init(
      condition: "sniHosts", wanted: match.serverNames.joined(separator: " or "),
      had: (name.isEmpty ? "no name" : name) + reason)
  }

  private static func bytesMatches(
    of service: Resource<VirtualService>, _ kind: Explanation.Carriage
  ) -> [BytesMatch] {
    switch kind {
    case .tls:
      return service.spec.tls.flatMap(\.match).map {
        BytesMatch(
          location: "\($0.location)", scope: .init($0), serverNames: $0.sniHosts.map { $0.value.lowercased() })
      }
    case .tcp:
      return service.spec.tcp.flatMap { rule in
        rule.match.isEmpty
          ? [BytesMatch(location: "\(rule.location)", scope: nil, serverNames: [])]
          : rule.match.map { BytesMatch(location: "\($0.location)", scope: .init($0), serverNames: []) }
      }
    }
  }
}

extension Explanation {
  fileprivate func replacingRules(_ rules: [RuleVerdict]) -> Explanation {
    var result = self
    result.rules = rules
    return result
  }
}
