import Testing

@testable import Resources
@testable import Routing

/// Compiles a text as the configuration of an instance of namespace `n`.
func compile(_ yaml: String) -> SnapshotCompiler.Output {
  var result = LoadResult()
  ResourceLoader.load(text: Array(yaml.utf8), file: "test.yaml", into: &result)
  #expect(!result.diagnostics.contains { $0.severity == .error }, "\(result.diagnostics)")
  return SnapshotCompiler(
    result.resources, identity: InstanceIdentity(name: "gw", namespace: "n"), readinessProbes: [],
    options: CompilerOptions(), readFile: { _ in nil }
  ).compile(generation: 1)
}

/// A Gateway on port 80, a ServiceEntry for `up.example` and a VirtualService with these rules.
func routing(_ rules: String, endpoints: [String] = ["{address: 127.0.0.1}"]) -> String {
  """
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: g, namespace: n}
  spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
  ---
  apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: up, namespace: n}
  spec:
    hosts: [up.example]
    ports: [{number: 80, name: http, protocol: HTTP}]
    resolution: STATIC
    endpoints: [\(endpoints.joined(separator: ", "))]
  ---
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: v, namespace: n}
  spec:
    hosts: ["*"]
    gateways: [g]
    http:
  \(rules.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n"))

  """
}
