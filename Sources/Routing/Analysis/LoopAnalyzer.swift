import Resources

/// SP1036: requests that come back to an instance that has sent them on. Rules for an egress gateway that the ingress
/// gateway also has, or the reverse, are the usual cause.
enum LoopAnalyzer {
  /// An instance that has a rule for a host.
  private struct Place: Hashable {
    let instance: Int
    let host: String
  }

  /// A rule that sends requests of one place to another.
  private struct Step {
    let from: Place
    let to: Place
    let destination: Located<String>
    let service: Resource<VirtualService>
  }

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    let steps = steps(context)
    let next = Dictionary(grouping: steps, by: \.from)
    var reported: Set<SourceLocation> = []
    var diagnostics: [Diagnostic] = []
    for step in steps {
      guard let path = way(from: step.to, to: step.from, next), reported.insert(step.destination.location).inserted
      else {
        continue
      }
      for other in path { reported.insert(other.destination.location) }
      let names = ([step] + path).map { context.instances[$0.to.instance].name }
      let start = context.instances[step.from.instance].name
      diagnostics.append(
        MessageCatalog.finding(
          "SP1036",
          "requests for \(step.from.host) go round: \(([start] + names).joined(separator: " → "))",
          at: step.destination.location, resource: step.service.description,
          help: path.last.map { "the way back is at \($0.destination.location)" }
            ?? "the destination is the instance itself"))
    }
    return diagnostics
  }

  private static func steps(_ context: AnalysisContext) -> [Step] {
    var steps: [Step] = []
    for (index, instance) in context.instances.enumerated() {
      for gateway in context.gateways(of: instance) {
        for service in context.virtualServices where context.isBound(service, to: gateway) {
          for host in service.spec.hosts {
            let place = Place(instance: index, host: host.value.lowercased())
            steps += self.steps(from: place, service, gateway, context)
          }
        }
      }
    }
    return steps
  }

  private static func steps(
    from place: Place, _ service: Resource<VirtualService>, _ gateway: Resource<Gateway>, _ context: AnalysisContext
  ) -> [Step] {
    var steps: [Step] = []
    for route in service.spec.http {
      let matches: [HTTPMatch?] = route.match.isEmpty ? [nil] : route.match
      guard matches.contains(where: { AnalysisContext.gateways(of: $0, in: service).contains(gateway.reference) })
      else {
        continue
      }
      let host = route.rewrite?.authority?.value.lowercased() ?? place.host
      for target in route.route.compactMap(\.destination) {
        guard let name = target.host else { continue }
        for index in instances(behind: name.value, target.port?.value, service, context) {
          guard let found = servedHost(host, by: index, context) else { continue }
          steps.append(
            Step(from: place, to: Place(instance: index, host: found), destination: name, service: service))
        }
      }
    }
    return steps
  }

  /// The instances that a Service of this name selects.
  private static func instances(
    behind host: String, _ port: Int?, _ service: Resource<VirtualService>, _ context: AnalysisContext
  ) -> [Int] {
    let name = HostName.expand(host, namespace: service.metadata.namespace)
    var found: [Int] = []
    for entry in context.entries(name) {
      guard case .kubernetes(let target) = entry.origin, !target.spec.selector.isEmpty else { continue }
      for (index, instance) in context.instances.enumerated()
      where instance.namespace == target.metadata.namespace && instance.matches(target.spec.selector) {
        let ports = context.gateways(of: instance).flatMap(\.spec.servers).compactMap { $0.port?.number?.value }
        if port.map({ ports.contains($0) }) ?? !ports.isEmpty { found.append(index) }
      }
    }
    return found
  }

  /// The host of a VirtualService there that takes requests for `host`.
  private static func servedHost(_ host: String, by index: Int, _ context: AnalysisContext) -> String? {
    for gateway in context.gateways(of: context.instances[index]) {
      for service in context.virtualServices where context.isBound(service, to: gateway) {
        if let found = service.spec.hosts.first(where: { HostName.covers($0.value.lowercased(), host) }) {
          return found.value.lowercased()
        }
      }
    }
    return nil
  }

  /// The steps from one place to another; empty when they are the same, nil when there is no way.
  private static func way(from start: Place, to goal: Place, _ next: [Place: [Step]]) -> [Step]? {
    if start == goal { return [] }
    var before: [Place: Step] = [:]
    var queue = [start]
    var head = 0
    while head < queue.count {
      let place = queue[head]
      head += 1
      for step in next[place] ?? [] where before[step.to] == nil && step.to != start {
        before[step.to] = step
        if step.to == goal {
          var path: [Step] = []
          var current = goal
          while current != start, let step = before[current] {
            path.append(step)
            current = step.from
          }
          return path.reversed()
        }
        queue.append(step.to)
      }
    }
    return nil
  }
}
