import Resources

/// What analyzers look at: all resources, the instances, and some indexes over them.
package struct AnalysisContext {
  /// Reads what a certificate chain and its key are; Routing itself knows no certificates.
  package typealias CertificateInspector = (_ chainPEM: [UInt8], _ keyPEM: [UInt8]) -> CertificateReport

  let resources: ResourceSet
  /// The instances that are looked at.
  let instances: [InstanceIdentity]
  /// Those, and all others that the resources declare or imply: what is for one of these is for somebody.
  let knownInstances: [InstanceIdentity]
  /// Seconds since 1970.
  let now: Int64
  let inspect: CertificateInspector?
  let readFile: (String) -> [UInt8]?
  /// In Istio's order.
  let virtualServices: [Resource<VirtualService>]
  private let gateways: [String: Resource<Gateway>]
  private let hosts: [String: [ServiceRegistry.Entry]]

  package init(
    _ resources: ResourceSet, instances: [InstanceIdentity], now: Int64, inspect: CertificateInspector?,
    readFile: @escaping (String) -> [UInt8]?
  ) {
    self.resources = resources
    self.instances = instances
    let declared = InstanceCatalog.instances(in: resources)
    let others = (declared + InstanceCatalog.implied(in: resources, beside: declared)).map(\.identity)
    knownInstances = instances + others.filter { !instances.contains($0) }
    self.now = now
    self.inspect = inspect
    self.readFile = readFile
    virtualServices = resources.virtualServices.sorted { $0.orderKey < $1.orderKey }
    gateways = Dictionary(resources.gateways.map { ($0.reference, $0) }) { first, _ in first }
    hosts = Self.hosts(of: resources)
  }

  private static func hosts(of resources: ResourceSet) -> [String: [ServiceRegistry.Entry]] {
    var hosts: [String: [ServiceRegistry.Entry]] = [:]
    // Every namespace sees its own, so the union over namespaces is everything there is.
    var namespaces: [String] = []
    for namespace in resources.services.map(\.metadata.namespace) + resources.serviceEntries.map(\.metadata.namespace)
    where !namespaces.contains(namespace) {
      namespaces.append(namespace)
    }
    for namespace in namespaces {
      let registry = ServiceRegistry(resources, for: InstanceIdentity(namespace: namespace))
      for entry in registry.entries + registry.hidden
      where !(hosts[entry.host]?.contains { $0.namespace == entry.namespace } ?? false) {
        hosts[entry.host, default: []].append(entry)
      }
    }
    return hosts
  }

  /// What declares a host, whoever may see it.
  func entries(_ host: String) -> [ServiceRegistry.Entry] { hosts[host] ?? [] }

  /// All declared hosts.
  var knownHosts: [String] { hosts.keys.sorted() }

  /// The Gateway that a VirtualService names; nil for the mesh, and for one that does not exist.
  func gateway(_ reference: String, from namespace: String) -> Resource<Gateway>? {
    gateways[GatewayReference.resolve(reference, namespace: namespace)]
  }

  /// The Gateways of an instance, in Istio's order.
  func gateways(of instance: InstanceIdentity) -> [Resource<Gateway>] {
    resources.gateways.filter { instance.matches($0.spec.selector.mapValues(\.value)) }
      .sorted { $0.orderKey < $1.orderKey }
  }

  /// Whether a VirtualService is bound to a Gateway.
  func isBound(_ service: Resource<VirtualService>, to gateway: Resource<Gateway>) -> Bool {
    service.spec.gateways.contains {
      GatewayReference.resolve($0.value, namespace: service.metadata.namespace) == gateway.reference
    }
  }

  /// Whether a VirtualService is for sidecars, too.
  static func isMesh(_ service: Resource<VirtualService>) -> Bool {
    service.spec.gateways.isEmpty || service.spec.gateways.contains { $0.value == "mesh" }
  }

  /// The Gateways that an entry of `match` is for, by reference; all of the VirtualService's where it names none.
  static func gateways(of match: HTTPMatch?, in service: Resource<VirtualService>) -> Set<String> {
    let own = match?.gateways ?? []
    let named = own.isEmpty ? service.spec.gateways : own
    let all = named.map { GatewayReference.resolve($0.value, namespace: service.metadata.namespace) }
    return all.isEmpty ? ["mesh"] : Set(all)
  }
}

/// What is known of a certificate chain with its key.
package struct CertificateReport: Sendable {
  /// Why chain and key cannot be used at all.
  package var problem: String?
  /// RFC 2253
  package var subject = ""
  package var issuer = ""
  /// The names of the subjectAltName.
  package var names: [String] = []
  /// Seconds since 1970.
  package var notBefore: Int64 = 0
  /// Seconds since 1970.
  package var notAfter = Int64.max
  /// `RSA`, `EC`
  package var keyType = ""
  package var keyBits = 0
  package var isOrdered = true
  /// The extended key usage allows a server.
  package var isForServers = true
  /// Who issued the last certificate of the chain, when it is neither itself nor a root of this machine.
  package var unknownIssuer: String?

  package init() {}
}
