/// The schema of a kind.
package struct KindSchema: Sendable {
  package let kind: String
  package let apiVersions: [String]
  package let metadata: [SchemaField]
  package let spec: [SchemaField]

  /// All kinds that configure gateways, in alphabetical order.
  package static let all: [KindSchema] = [
    make("AuthorizationPolicy") { _ = AuthorizationPolicy($0) },
    make("DestinationRule") { _ = DestinationRule($0) },
    make("EnvoyFilter") { _ = EnvoyFilter($0) },
    make("Gateway") { _ = Gateway($0) },
    make("IstioOperator") { _ = IstioOperator($0) },
    make("PeerAuthentication") { _ = PeerAuthentication($0) },
    make("ProxyConfig") { _ = ProxyConfig($0) },
    make("RequestAuthentication") { _ = RequestAuthentication($0) },
    make("ServiceEntry") { _ = ServiceEntry($0) },
    make("Sidecar") { _ = Sidecar($0) },
    make("Telemetry") { _ = Telemetry($0) },
    make("UpstreamProbe") { _ = UpstreamProbe($0) },
    make("VirtualService") { _ = VirtualService($0) },
    make("WasmPlugin") { _ = WasmPlugin($0) },
    make("WorkloadEntry") { _ = WorkloadEntry($0) },
    make("WorkloadGroup") { _ = WorkloadGroup($0) },
  ]

  private static func make(_ kind: String, _ decode: (FieldReader) -> Void) -> KindSchema {
    KindSchema(
      kind: kind, apiVersions: KindCatalog.apiVersions(of: kind), metadata: record { _ = Metadata($0) },
      spec: record(decode))
  }

  private static func record(_ decode: (FieldReader) -> Void) -> [SchemaField] {
    let recorder = SchemaRecorder()
    decode(FieldReader(recording: recorder, DecodingContext(file: "")))
    return recorder.fields
  }
}
