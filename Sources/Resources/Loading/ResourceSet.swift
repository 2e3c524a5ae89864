/// All resources of a configuration, by kind, in the order in which they were read.
package struct ResourceSet: Sendable {
  package var gateways: [Resource<Gateway>] = []
  package var virtualServices: [Resource<VirtualService>] = []
  package var serviceEntries: [Resource<ServiceEntry>] = []
  package var destinationRules: [Resource<DestinationRule>] = []
  package var workloadEntries: [Resource<WorkloadEntry>] = []
  package var peerAuthentications: [Resource<PeerAuthentication>] = []
  package var authorizationPolicies: [Resource<AuthorizationPolicy>] = []
  package var requestAuthentications: [Resource<RequestAuthentication>] = []
  package var telemetries: [Resource<Telemetry>] = []
  package var wasmPlugins: [Resource<WasmPlugin>] = []
  package var envoyFilters: [Resource<EnvoyFilter>] = []
  package var proxyConfigs: [Resource<ProxyConfig>] = []
  package var operators: [Resource<IstioOperator>] = []
  package var secrets: [Resource<Secret>] = []
  package var configMaps: [Resource<ConfigMap>] = []
  package var services: [Resource<Service>] = []
  package var endpointSlices: [Resource<EndpointSlice>] = []
  package var deployments: [Resource<Deployment>] = []
  package var probes: [Resource<UpstreamProbe>] = []

  /// The names of the Namespaces among the documents: of them nothing else is kept.
  package var namespaces: Set<String> = []

  package init() {}

  /// Adds other resources behind these.
  package mutating func merge(_ other: ResourceSet) {
    gateways += other.gateways
    virtualServices += other.virtualServices
    serviceEntries += other.serviceEntries
    destinationRules += other.destinationRules
    workloadEntries += other.workloadEntries
    peerAuthentications += other.peerAuthentications
    authorizationPolicies += other.authorizationPolicies
    requestAuthentications += other.requestAuthentications
    telemetries += other.telemetries
    wasmPlugins += other.wasmPlugins
    envoyFilters += other.envoyFilters
    proxyConfigs += other.proxyConfigs
    operators += other.operators
    secrets += other.secrets
    configMaps += other.configMaps
    services += other.services
    endpointSlices += other.endpointSlices
    deployments += other.deployments
    probes += other.probes
    namespaces.formUnion(other.namespaces)
  }
}
