import Resources

/// `AUTO_PASSTHROUGH`: every service of the mesh under a server name of its own, as Istio's `sni-dnat` gateways have it.
extension ClusterBuilder {
  /// The cluster of every port and subset of the mesh's services among `hosts`, with the server name that leads there:
  /// `outbound_.80_.v1_.reviews.default.svc.cluster.local`. The client's TLS goes through, so none is originated.
  func sniClusters(covering hosts: [String], resource: String) -> [(serverName: String, cluster: Int32)] {
    var found: [(serverName: String, cluster: Int32)] = []
    for entry in registry.entries where isInMesh(entry) && hosts.contains(where: { HostName.covers($0, entry.host) }) {
      let subsets = policies.subsets(host: entry.host, serviceNamespace: entry.namespace)
      for port in entry.ports where port.protocolName.uppercased() != "UDP" {
        for subset in [""] + subsets {
          let name = "outbound_.\(port.number)_.\(subset)_.\(entry.host)"
          found.append((name, sniCluster(name, entry, port, subset, resource)))
        }
      }
    }
    return found
  }

  private func isInMesh(_ entry: ServiceRegistry.Entry) -> Bool {
    switch entry.origin {
    case .kubernetes: return true
    case .entry(let resource): return resource.spec.location != .external
    }
  }

  private func sniCluster(
    _ name: String, _ entry: ServiceRegistry.Entry, _ port: ServiceRegistry.Port, _ subset: String, _ resource: String
  ) -> Int32 {
    if let known = byName[name] { return known }
    guard
      case .policy(let policy) = policies.resolve(
        host: entry.host, serviceNamespace: entry.namespace, port: port.number, subset: subset)
    else { return -1 }
    let location =
      switch entry.origin {
      case .kubernetes(let service): service.location
      case .entry(let resource): resource.location
      }
    let request = Request(
      host: Located(entry.host, at: location), port: nil, subset: nil, namespace: entry.namespace,
      listenerPort: port.number, resource: resource)
    var settings = Cluster.Settings(
      name: name, host: entry.host, port: UInt16(clamping: port.number), subset: subset, discovery: .static)
    fillEndpoints(&settings, entry, port, policy, request)
    fillPolicy(&settings, policy, entry, request)
    settings.tls = nil
    return add(settings)
  }
}
