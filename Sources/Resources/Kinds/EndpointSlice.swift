/// EndpointSlice, and Endpoints in the same form: addresses behind a Service.
package struct EndpointSlice: Sendable {
  package struct Endpoint: Sendable {
    package var addresses: [String]
    package var isReady: Bool
    package var zone: String?
    package var node: String?
  }

  /// The Service, from the label or, for Endpoints, from the name.
  package var service: String
  package var ports: [(name: String, port: Int)]
  package var endpoints: [Endpoint]

  /// An EndpointSlice has no `spec`.
  init(slice reader: FieldReader, metadata: Metadata) {
    reader.isLenient = true
    service = metadata.labels["kubernetes.io/service-name"] ?? metadata.name
    ports = reader.objects("ports") { ($0.string("name")?.value ?? "", $0.integer("port")?.value ?? 0) }
    endpoints = reader.objects("endpoints") { endpoint in
      Endpoint(
        addresses: endpoint.strings("addresses").map(\.value),
        isReady: (endpoint.object("conditions") { $0.boolean("ready")?.value } ?? nil) ?? true,
        zone: endpoint.string("zone")?.value, node: endpoint.string("nodeName")?.value)
    }
  }

  /// The older Endpoints, one subset of it.
  static func subsets(of reader: FieldReader, metadata: Metadata) -> [EndpointSlice] {
    reader.isLenient = true
    return reader.objects("subsets") { subset in
      let addresses = subset.objects("addresses") { $0.string("ip")?.value ?? "" }
      let ports = subset.objects("ports") { ($0.string("name")?.value ?? "", $0.integer("port")?.value ?? 0) }
      return EndpointSlice(service: metadata.name, ports: ports, addresses: addresses)
    }
  }

  private init(service: String, ports: [(name: String, port: Int)], addresses: [String]) {
    self.service = service
    self.ports = ports
    endpoints = addresses.map { Endpoint(addresses: [$0], isReady: true, zone: nil, node: nil) }
  }
}
