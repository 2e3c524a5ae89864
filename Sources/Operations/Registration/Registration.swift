import Resources

/// A machine outside of the cluster, as resources.
package struct Registration {
  private let name: String
  private let namespace: String
  private let address: String
  private let ports: [(name: String?, number: Int)]
  private let labels: [(key: String, value: String)]
  private let serviceAccount: String?
  package var annotations: [(key: String, value: String)] = []
  /// What the service selects its machines by.
  private var selector: [(key: String, value: String)]
  /// The service is there already, and the machine is one more.
  private var isKnown = false
  /// The ports of the machine that are not those of the service.
  private var ownPorts: [(name: String, number: Int)] = []

  /// - Parameter ports: without a name, a port gets one.
  package init(
    name: String, namespace: String, address: String, ports: [(name: String?, number: Int)],
    labels: [(key: String, value: String)], serviceAccount: String?
  ) {
    self.name = name
    self.namespace = namespace
    self.address = address
    self.ports = ports
    self.labels = labels
    self.serviceAccount = serviceAccount
    selector = [("app", labels.first { $0.key == "app" }?.value ?? name)]
  }

  /// Why a machine cannot be one more of a service, in words.
  package struct Mismatch: Error, CustomStringConvertible {
    package let description: String
  }

  /// Whether a text is what `WorkloadEntry.address` may be: an IP address, a name, a unix-domain socket.
  package static func isAddress(_ text: String) -> Bool {
    HostRules.isIPLiteral(text) || text.hasPrefix(HostRules.unixPrefix)
      || HostRules.problem(with: text, allowsWildcard: false) == nil
  }

  /// Makes it one more machine of a service that is there already: with the labels that the service selects by, and
  /// with ports that differ from the service's under their names.
  package mutating func join(_ service: Resource<ServiceEntry>) throws(Mismatch) {
    guard let wanted = service.spec.workloadSelector, !wanted.isEmpty else {
      throw Mismatch(description: "\(service.description) has no workloadSelector, and would not take a WorkloadEntry")
    }
    selector = wanted.map { ($0.key, $0.value.value) }.sorted { $0.0 < $1.0 }
    for (key, value) in labels {
      guard let needed = wanted[key]?.value, needed != value else { continue }
      throw Mismatch(description: "label \(key)=\(value): \(service.description) selects \(key)=\(needed)")
    }
    if service.spec.effectiveResolution == .static, !HostRules.isIPLiteral(address), !address.hasPrefix("unix:") {
      throw Mismatch(
        description: "\(address) is not an IP address, which \(service.description) needs: its resolution is STATIC")
    }
    isKnown = true
    for port in ports {
      if let own = try Self.ownPort(port, of: service) { ownPorts.append(own) }
    }
  }

  /// The port under the service's name for it; nil where the service says the same.
  private static func ownPort(
    _ port: (name: String?, number: Int), of service: Resource<ServiceEntry>
  ) throws(Mismatch) -> (name: String, number: Int)? {
    let known = service.spec.ports.map { known in
      let number = known.number?.value ?? 0
      return (name: known.name?.value ?? "", number: number, target: known.targetPort?.value ?? number)
    }
    let match =
      if let name = port.name {
        known.first { $0.name == name }
      } else {
        known.first { $0.target == port.number } ?? known.first { $0.number == port.number }
          ?? (known.count == 1 ? known.first : nil)
      }
    guard let match else {
      let names = known.map { "\($0.name):\($0.number)" }.joined(separator: ", ")
      let text = port.name.map { "\($0):\(port.number)" } ?? "\(port.number)"
      throw Mismatch(description: "port \(text): \(service.description) has \(names)")
    }
    return match.target == port.number ? nil : (match.name, port.number)
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
  static func named(_ ports: [(name: String?, number: Int)]) -> [(name: String, number: Int)] {
    var taken = Set(ports.compactMap(\.name))
    return ports.map { port in
      if let name = port.name { return (name, port.number) }
      let name = usual[port.number] ?? "tcp-\(port.number)"
      return (taken.insert(name).inserted ? name : "\(name)-\(port.number)", port.number)
    }
  }

  private static func object(_ pairs: [(key: String, value: String)]) -> JSON {
    .object(pairs.map { ($0.key, .string($0.value)) })
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
    let ports = Self.named(self.ports).map { port in
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
        ("workloadSelector", .object([("labels", Self.object(selector))])),
      ])
  }

  private var workloadEntry: JSON {
    let others = labels.filter { label in !selector.contains { $0.key == label.key } }
    var spec: [(String, JSON)] = [("address", .string(address)), ("labels", Self.object(selector + others))]
    if !ownPorts.isEmpty { spec.append(("ports", .object(ownPorts.map { ($0.name, .number($0.number)) }))) }
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
