import Resources

/// The instances of a configuration together: which of them a request reaches, and how it goes on from one to the next.
package struct GatewayFleet {
  private struct Member {
    let identity: InstanceIdentity
    let explainer: Explainer
  }

  private let members: [Member]
  private let services: [Resource<Service>]
  private let resources: ResourceSet
  private let scopes: RuleScopes

  /// More instances in a row than anybody has.
  private static let maxHops = 16

  /// - Parameters:
  ///   - snapshots: one for each instance, compiled from `resources`.
  ///   - inspect: reads certificates.
  package init(
    _ resources: ResourceSet, snapshots: [Snapshot], inspect: @escaping CertificateInspector = { _, _ in nil }
  ) {
    services = resources.services
    self.resources = resources
    scopes = RuleScopes(resources)
    let knowsSecrets = !resources.secrets.isEmpty
    members = snapshots.map {
      Member(identity: $0.identity, explainer: Explainer($0, knowsSecrets: knowsSecrets, inspect: inspect))
    }
  }

  /// Explains a request for every instance that listens on its port, and for those behind it. When none listens there,
  /// each says so.
  ///
  /// - Parameter entry: the instances that clients reach; nil: all.
  package func explain(_ request: SampleRequest, entry: [InstanceIdentity]? = nil) -> [Explanation] {
    let candidates = members.filter { entry?.contains($0.identity) ?? true }
    let reached = candidates.filter { $0.explainer.listener(for: request) != nil }
    return (reached.isEmpty ? candidates : reached).map { member in
      follow(scopes.completed(member.explainer.explain(request), for: member.identity), visited: [])
    }
  }

  /// Goes on to the instances that the destinations lead to.
  private func follow(_ explanation: Explanation, visited: [String]) -> Explanation {
    guard case .forward(var destinations)? = explanation.answer else { return explanation }
    var result = explanation
    let step =
      "\(explanation.instance) \(explanation.listener?.name ?? "") \(explanation.request.authority)"
      + " \(explanation.request.serverName ?? "")"
    for index in destinations.indices {
      guard let cluster = destinations[index].cluster, let sent = destinations[index].sent else { continue }
      for (member, listener) in instances(behind: cluster) {
        if visited.contains(step) || visited.count >= Self.maxHops {
          let message = "the request comes back to \(explanation.instance) by the same listener and host"
          result.error = result.error ?? ExplainError(.loop, message)
          continue
        }
        let next = explain(sent, at: member, listener: listener, cluster)
        destinations[index].next.append(follow(next, visited: visited + [step]))
      }
    }
    result.answer = .forward(destinations)
    return result
  }

  private func explain(_ sent: SampleRequest, at member: Member, listener: Int32?, _ cluster: Cluster) -> Explanation {
    guard let listener else {
      var explanation = Explanation(instance: member.explainer.instance, request: sent)
      explanation.error = ExplainError(
        .noListener, "\(cluster.host) is this instance, and it has no listener for port \(cluster.settings.port)")
      return explanation
    }
    return scopes.completed(member.explainer.explain(sent, listener: listener), for: member.identity)
  }

  /// The instances that a cluster's Service selects, with the listener that its port means; without the Service in the
  /// configuration, the instance of its name.
  private func instances(behind cluster: Cluster) -> [(member: Member, listener: Int32?)] {
    guard HostName.isInMesh(cluster.host) else { return [] }
    let parts = cluster.host.split(separator: ".")
    guard parts.count > 2 else { return [] }
    let (name, namespace) = (String(parts[0]), String(parts[1]))
    let service = services.first { $0.metadata.name == name && $0.metadata.namespace == namespace }
    let port = Int(cluster.settings.port)
    return members.filter { member in
      guard member.identity.namespace == namespace else { return false }
      guard let service else { return member.identity.name == name }
      return !service.spec.selector.isEmpty && member.identity.matches(service.spec.selector)
    }.map { member in
      let target = service?.spec.ports.first { $0.port == port }?.targetPort
      let named = target?.name.flatMap { name in
        resources.containerPort(
          name, of: service?.spec.selector ?? [:], in: namespace, preferring: member.identity.name)
      }
      let number = target?.number ?? named
      let listeners = member.explainer.snapshot.listeners
      let bound = listeners.firstIndex { number == Int($0.bindPort) }
      return (member, (bound ?? listeners.firstIndex { $0.declaredPort == port }).map(Int32.init))
    }
  }
}
