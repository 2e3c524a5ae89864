import Resources

/// A machine outside of the cluster, as resources.
package struct Registration {
  private let name: String
  private let namespace: String
  private let address: String
  private let ports: [(name: String, number: Int)]
  private let labels: [(key: String, value: String)]
  private let serviceAccount: String?
  package var annotations: [(key: String, value: String)] = []
  /// The service is there already, and the machine is one more.
  package var isKnown = false

  package init(
    name: String, namespace: String, address: String, ports: [(name: String, number: Int)],
    labels: [(key: String, value: String)], serviceAccount: String?
  ) {
    self.name = name
    self.namespace = namespace
    self.address = address
    self.ports = ports
    self.labels = labels
    self.serviceAccount = serviceAccount
  }

  /// A ServiceEntry for the service, and the WorkloadEntry behind it.
  package var yaml: String {
    // Each begins a document of its own, so that the text can be appended to a file.
    (isKnown ? "" : "---\n" + YAMLText.text(serviceEntry)) + "---\n" + YAMLText.text(workloadEntry)
  }

  /// Protocols that ports usually have, as istioctl knows them.
  private static let usual = [
    80: "http", 443: "https", 3306: "mysql", 6379: "redis", 8080: "http", 9080: "http", 9090: "http", 9093: "http",
    27017: "mongo",
  ]

  /// Ports with names, which must differ.
  package static func named(_ ports: [(name: String?, number: Int)]) -> [(name: String, number: Int)] {
    var taken = Set(ports.compactMap(\.name))
    return ports.map { port in
      if let name = port.name { return (name, port.number) }
      let name = usual[port.number] ?? "tcp-\(port.number)"
      return (taken.insert(name).inserted ? name : "\(name)-\(port.number)", port.number)
    }
  }

  private func resource(_ kind: String, _ name: String, _ spec: [(String, JSON)]) -> JSON {
    var metadata: [(String, JSON)] = [("name", .string(name)), ("namespace", .string(namespace))]
    if !annotations.isEmpty {
      metadata.append(("annotations", .object(annotations.map { ($0.key, .string($0.value)) })))
    }
    return .object([
      ("apiVersion", .string("networking.istio.io/v1")), ("kind", .string(kind)), ("metadata", .object(metadata)),
      ("spec", .object(spec)),
    ])
  }

  private var serviceEntry: JSON {
    let ports = self.ports.map { port in
      JSON.object([
        ("number", .number(port.number)), ("name", .string(port.name)),
        ("protocol", .string(Self.protocolName(port.name))),
      ])
    }
    return resource(
      "ServiceEntry", name,
      [
        ("hosts", .strings(["\(name).\(namespace).svc.cluster.local"])), ("location", .string("MESH_INTERNAL")),
        ("ports", .array(ports)), ("resolution", .string(HostRules.isIPLiteral(address) ? "STATIC" : "DNS")),
        ("workloadSelector", .object([("labels", .object([("app", .string(name))]))])),
      ])
  }

  private var workloadEntry: JSON {
    var all: [(String, JSON)] = [("app", .string(name))]
    all += labels.filter { $0.key != "app" }.map { ($0.key, .string($0.value)) }
    var spec: [(String, JSON)] = [("address", .string(address)), ("labels", .object(all))]
    if let serviceAccount { spec.append(("serviceAccount", .string(serviceAccount))) }
    let suffix = address.map { $0.isLetter || $0.isNumber ? String($0).lowercased() : "-" }.joined()
    return resource("WorkloadEntry", "\(name)-\(suffix)", spec)
  }

  /// Istio's convention: the name of a port begins with its protocol.
  private static func protocolName(_ port: String) -> String {
    let names = ["grpc-web", "grpc", "http2", "https", "http", "mongo", "mysql", "redis", "tls"]
    return names.first { port == $0 || port.hasPrefix($0 + "-") }?.uppercased() ?? "TCP"
  }
}
