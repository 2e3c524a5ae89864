import Yams

/// Secret: keys to bytes, whatever its type.
package struct Secret: Sendable {
  package var type: String
  package var data: [String: [UInt8]]

  /// From a secret that was read elsewhere, such as a mounted folder.
  package init(type: String, data: [String: [UInt8]]) {
    self.type = type
    self.data = data
  }

  /// From the document itself: a Secret has no `spec`.
  init(document reader: FieldReader) {
    type = reader.string("type")?.value ?? "Opaque"
    data = [:]
    for (key, value) in reader.stringMap("data") {
      if let bytes = Base64.decode(value.value) {
        data[key] = bytes
      } else {
        reader.context.error("data.\(key): not base64", at: value.location, help: "plain text belongs into stringData")
      }
    }
    for (key, value) in reader.stringMap("stringData") { data[key] = Array(value.value.utf8) }
    reader.accept("immutable")
  }
}

/// Service, as far as a gateway looks at it.
package struct Service: Sendable {
  /// A port number or the name of a container's port.
  package enum TargetPort: Sendable, Hashable {
    case number(Int)
    case name(String)
  }

  package struct Port: Sendable {
    package var name: String
    package var port: Int
    package var targetPort: TargetPort?
    package var appProtocol: String?
  }

  package var ports: [Port]
  package var selector: [String: String]
  package var type: String
  package var externalName: String?
  package var clusterIP: String?

  init(_ reader: FieldReader) {
    reader.isLenient = true
    ports = reader.objects("ports") { port in
      let raw = port.raw("targetPort")?.scalar?.string
      return Port(
        name: port.string("name")?.value ?? "", port: port.integer("port")?.value ?? 0,
        targetPort: raw.map { text in Int(text).map(TargetPort.number) ?? .name(text) },
        appProtocol: port.string("appProtocol")?.value)
    }
    selector = reader.stringMap("selector").mapValues(\.value)
    type = reader.string("type")?.value ?? "ClusterIP"
    externalName = reader.string("externalName")?.value
    clusterIP = reader.string("clusterIP")?.value
  }
}

/// EndpointSlice, and Endpoints in the same form: addresses behind a Service.
package struct EndpointSlice: Sendable {
  package struct Endpoint: Sendable {
    package var addresses: [String]
    package var isReady: Bool
    package var zone: String?
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
        zone: endpoint.string("zone")?.value)
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
    endpoints = addresses.map { Endpoint(addresses: [$0], isReady: true, zone: nil) }
  }
}

/// Deployment: the labels of its pods, and their readiness.
package struct Deployment: Sendable {
  package var podLabels: [String: String]
  package var containerPorts: [String: Int]
  package var readinessProbes: [ReadinessProbe]

  init(_ reader: FieldReader) {
    reader.isLenient = true
    var labels: [String: String] = [:]
    var ports: [String: Int] = [:]
    var probes: [ReadinessProbe] = []
    _ = reader.object("template") { template in
      labels = template.object("metadata") { $0.stringMap("labels").mapValues(\.value) } ?? [:]
      _ = template.object("spec") { pod in
        _ = pod.objects("containers") { container in
          for (name, port) in container.objects(
            "ports", { ($0.string("name")?.value ?? "", $0.integer("containerPort")?.value ?? 0) })
          {
            ports[name] = port
          }
          if let probe = container.object("readinessProbe", ReadinessProbe.init) { probes.append(probe) }
        }
      }
    }
    podLabels = labels
    containerPorts = ports
    readinessProbes = probes
  }
}

/// ConfigMap, for CA bundles.
package struct ConfigMap: Sendable {
  package var data: [String: String]

  init(document reader: FieldReader) {
    reader.isLenient = true
    data = reader.stringMap("data").mapValues(\.value)
  }
}
