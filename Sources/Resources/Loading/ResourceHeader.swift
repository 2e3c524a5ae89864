/// What all resources have, whatever their kind.
package struct ResourceHeader: Sendable {
  package let kind: String
  package let metadata: Metadata
  package let location: SourceLocation

  init(_ resource: Resource<some Any>) {
    kind = resource.kind
    metadata = resource.metadata
    location = resource.location
  }

  /// `VirtualService httpbin/httpbin-egress`
  package var description: String { "\(kind) \(metadata.namespace)/\(metadata.name)" }
}

extension ResourceSet {
  /// The headers of all resources, kind by kind.
  package var headers: [ResourceHeader] {
    var all = gateways.map { ResourceHeader($0) } + virtualServices.map { ResourceHeader($0) }
    all += serviceEntries.map { ResourceHeader($0) } + destinationRules.map { ResourceHeader($0) }
    all += workloadEntries.map { ResourceHeader($0) } + peerAuthentications.map { ResourceHeader($0) }
    all += authorizationPolicies.map { ResourceHeader($0) } + requestAuthentications.map { ResourceHeader($0) }
    all += telemetries.map { ResourceHeader($0) } + wasmPlugins.map { ResourceHeader($0) }
    all += envoyFilters.map { ResourceHeader($0) } + proxyConfigs.map { ResourceHeader($0) }
    all += operators.map { ResourceHeader($0) } + secrets.map { ResourceHeader($0) }
    all += configMaps.map { ResourceHeader($0) } + services.map { ResourceHeader($0) }
    all += endpointSlices.map { ResourceHeader($0) } + deployments.map { ResourceHeader($0) }
    return all + probes.map { ResourceHeader($0) }
  }
}
