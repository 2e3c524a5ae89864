/// What loading gave: the resources that are good, and everything there is to say.
package struct LoadResult: Sendable {
  package var resources = ResourceSet()
  package var diagnostics: [Diagnostic] = []
  /// Resources that were left out because of errors: `VirtualService httpbin/httpbin-egress`.
  package var broken: [String] = []
  /// Paths that do not exist or cannot be read.
  package var unreadable: [String] = []
  /// A file is not YAML.
  package var hasSyntaxErrors = false
  /// The files that were read.
  package var files: [String] = []
  /// The documents that were read, with what each gave.
  package var documents: [SourceDocument] = []

  package init() {}
}

extension LoadResult {
  /// Adds what another part of the configuration gave.
  package mutating func merge(_ other: LoadResult) {
    resources.gateways += other.resources.gateways
    resources.virtualServices += other.resources.virtualServices
    resources.serviceEntries += other.resources.serviceEntries
    resources.destinationRules += other.resources.destinationRules
    resources.workloadEntries += other.resources.workloadEntries
    resources.peerAuthentications += other.resources.peerAuthentications
    resources.proxyConfigs += other.resources.proxyConfigs
    resources.operators += other.resources.operators
    resources.secrets += other.resources.secrets
    resources.configMaps += other.resources.configMaps
    resources.services += other.resources.services
    resources.endpointSlices += other.resources.endpointSlices
    resources.deployments += other.resources.deployments
    resources.probes += other.resources.probes
    diagnostics += other.diagnostics
    broken += other.broken
    unreadable += other.unreadable
    hasSyntaxErrors = hasSyntaxErrors || other.hasSyntaxErrors
    files += other.files
    documents += other.documents
  }
}
