import Resources

/// The hosts that routes may lead to, with their ports: Services and ServiceEntries.
struct ServiceRegistry {
  /// A port of a host.
  struct Port {
    let number: Int
    let name: String
    let protocolName: String
    /// Also where it is named, and a Deployment says which it is.
    let targetPort: Int?
    /// The name of a container port, as pods have it.
    var targetName: String?

    /// The protocol that a ServiceEntry's `protocol`, a Service's `appProtocol` or the name of its port says
    /// (`protocol.go`): `http2`, `grpc-web-admin`, `kubernetes.io/h2c`.
    var kind: PortProtocol? {
      let text = protocolName.lowercased()
      if text == "kubernetes.io/h2c" { return .http2 }
      if text.hasPrefix("grpc-web") { return .grpcWeb }
      return PortProtocol(name: String(text.prefix { $0 != "-" }))
    }
  }

  /// Where a host comes from.
  enum Origin {
    case kubernetes(Resource<Service>)
    case entry(Resource<ServiceEntry>)
  }

  /// A host.
  struct Entry {
    let host: String
    let namespace: String
    let ports: [Port]
    let origin: Origin
    let exportTo: [String]
  }

  private(set) var entries: [Entry] = []
  /// What is declared, and not exported to the namespace.
  private(set) var hidden: [Entry] = []
  private var byHost: [String: Int] = [:]
  let slices: [Resource<EndpointSlice>]
  let workloads: [Resource<WorkloadEntry>]

  init(_ resources: ResourceSet, for identity: InstanceIdentity) {
    slices = resources.endpointSlices
    workloads = resources.workloadEntries
    for service in resources.services {
      let ports = service.spec.ports.map { port in
        Port(
          number: port.port, name: port.name, protocolName: port.appProtocol ?? port.name,
          targetPort: port.targetPort?.number
            ?? port.targetPort?.name.flatMap {
              resources.containerPort($0, of: service.spec.selector, in: service.metadata.namespace)
            }, targetName: port.targetPort?.name)
      }
      add(
        Entry(
          host: "\(service.metadata.name).\(service.metadata.namespace).svc.\(HostName.clusterDomain)",
          namespace: service.metadata.namespace, ports: ports, origin: .kubernetes(service), exportTo: []))
    }
    for resource in resources.serviceEntries.sorted(by: { $0.orderKey < $1.orderKey }) {
      add(resource, for: identity)
    }
  }

  private mutating func add(_ resource: Resource<ServiceEntry>, for identity: InstanceIdentity) {
    let exportTo = resource.spec.exportTo.map(\.value)
    let isVisible = Visibility.reaches(identity.namespace, from: resource.metadata.namespace, exportTo)
    let ports = resource.spec.ports.map { port in
      Port(
        number: port.number?.value ?? 0, name: port.name?.value ?? "", protocolName: port.protocolName?.value ?? "",
        targetPort: port.targetPort?.value)
    }
    for host in resource.spec.hosts {
      let entry = Entry(
        host: host.value.lowercased(), namespace: resource.metadata.namespace, ports: ports, origin: .entry(resource),
        exportTo: exportTo)
      if isVisible { add(entry) } else { hidden.append(entry) }
    }
  }

  private mutating func add(_ entry: Entry) {
    guard byHost[entry.host] == nil else { return }
    byHost[entry.host] = entries.count
    entries.append(entry)
  }

  /// The host of exactly this name.
  func entry(_ host: String) -> Entry? { byHost[host].map { entries[$0] } }

  /// All host names, for suggestions.
  var hosts: [String] { entries.map(\.host) }
}

/// `exportTo`.
enum Visibility {
  static func reaches(_ namespace: String, from origin: String, _ exportTo: [String]) -> Bool {
    exportTo.isEmpty
      || exportTo.contains { $0 == "*" || $0 == namespace || ($0 == "." && namespace == origin) }
  }
}
