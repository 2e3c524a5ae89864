import Resources

/// Weights of destinations.
enum WeightAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      let http = service.spec.http.map(\.route)
      let others = service.spec.tls.map(\.route) + service.spec.tcp.map(\.route)
      return (http + others).filter { $0.count > 1 }.flatMap { destinations in
        sum(destinations, service) + withoutWeight(destinations, service)
      }
    }
  }

  /// Any sum is valid. Shares such as 3 and 1 are meant as they are; a sum near 100 is a slip.
  private static func sum(_ destinations: [RouteDestination], _ service: Resource<VirtualService>) -> [Diagnostic] {
    let weights = destinations.compactMap(\.weight)
    let sum = weights.reduce(0) { $0 + $1.value }
    guard (80...150).contains(sum), sum != 100, let last = weights.last, let first = weights.first else { return [] }
    return [
      MessageCatalog.finding(
        "SP1025", "weights sum to \(sum), not 100: \(first.value) is \(percent(first.value, of: sum)) of the requests",
        at: last.location, resource: service.description, help: "weights are shares of their sum")
    ]
  }

  private static func percent(_ weight: Int, of sum: Int) -> String {
    let tenths = (weight * 1000 + sum / 2) / sum
    return tenths.isMultiple(of: 10) ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
  }

  private static func withoutWeight(
    _ destinations: [RouteDestination], _ service: Resource<VirtualService>
  ) -> [Diagnostic] {
    destinations.compactMap { target -> Diagnostic? in
      guard target.weight == nil, let host = target.destination?.host else { return nil }
      return MessageCatalog.finding(
        "SP1026", "destination \"\(host.value)\" has no weight beside others that have: no request goes there",
        at: host.location, resource: service.description, help: "add weight")
    }
  }
}
