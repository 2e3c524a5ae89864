/// Service, as far as a gateway looks at it.
package struct Service: Sendable {
  /// A port number or the name of a container's port.
  package enum TargetPort: Sendable, Hashable {
    case number(Int)
    case name(String)

    package var number: Int? { if case .number(let number) = self { number } else { nil } }

    package var name: String? { if case .name(let name) = self { name } else { nil } }
  }

  package struct Port: Sendable {
    package var name: String
    package var port: Int
    package var targetPort: TargetPort?
    package var targetPortLocation: SourceLocation?
    package var appProtocol: String?

    init(_ port: FieldReader) {
      let written = port.text("targetPort")
      let target = written?.value
      targetPortLocation = written?.location
      name = port.string("name")?.value ?? ""
      self.port = port.integer("port")?.value ?? 0
      targetPort = target.map { text in Int(text).map(TargetPort.number) ?? .name(text) }
      appProtocol = port.string("appProtocol")?.value
    }
  }

  package var ports: [Port]
  package var selector: [String: String]
  package var type: String
  package var externalName: String?
  package var clusterIP: String?
  /// `PreferClose`, `PreferSameZone`, `PreferSameNode`.
  package var trafficDistribution: String?

  init(_ reader: FieldReader) {
    reader.isLenient = true
    ports = reader.objects("ports", Port.init)
    selector = reader.stringMap("selector").mapValues(\.value)
    type = reader.string("type")?.value ?? "ClusterIP"
    externalName = reader.string("externalName")?.value
    clusterIP = reader.string("clusterIP")?.value
    trafficDistribution = reader.string("trafficDistribution")?.value
  }
}
