import Resources

/// ServiceEntries that share a host or a port.
enum ServiceEntryAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    conflictingProtocols(context) + sharedPorts(context)
  }

  private static func ordered(_ context: AnalysisContext) -> [Resource<ServiceEntry>] {
    context.resources.serviceEntries.sorted { $0.orderKey < $1.orderKey }
  }

  /// IST0177
  private static func conflictingProtocols(_ context: AnalysisContext) -> [Diagnostic] {
    var first: [String: (entry: Resource<ServiceEntry>, name: String)] = [:]
    var diagnostics: [Diagnostic] = []
    for entry in ordered(context) {
      for host in entry.spec.hosts {
        for port in entry.spec.ports {
          guard let number = port.number, let name = port.protocolName else { continue }
          let key = "\(host.value.lowercased()):\(number.value)"
          let own = name.value.uppercased()
          guard let other = first[key] else {
            first[key] = (entry, own)
            continue
          }
          guard other.name != own, other.entry.reference != entry.reference else { continue }
          diagnostics.append(
            MessageCatalog.finding(
              "IST0177",
              "Multiple ServiceEntries (\(other.entry.reference), \(entry.reference)) define the same host \"\(host.value)\" and port \(number.value) with conflicting protocols (\(other.name), \(own)).",
              at: name.location, resource: entry.description, help: "\(other.name) counts"))
        }
      }
    }
    return diagnostics
  }

  /// SP1031: without a server name and without an address, a connection does not say which host it is for.
  private static func sharedPorts(_ context: AnalysisContext) -> [Diagnostic] {
    var first: [Int: (entry: Resource<ServiceEntry>, location: SourceLocation)] = [:]
    var diagnostics: [Diagnostic] = []
    for entry in ordered(context) where isByName(entry.spec) {
      for port in entry.spec.ports {
        guard let number = port.number, isOpaque(port) else { continue }
        guard let other = first[number.value] else {
          first[number.value] = (entry, number.location)
          continue
        }
        guard other.entry.reference != entry.reference else { continue }
        let hosts = (other.entry.spec.hosts.first?.value ?? "", entry.spec.hosts.first?.value ?? "")
        diagnostics.append(
          MessageCatalog.finding(
            "SP1031",
            "\(hosts.1) and \(hosts.0) (ServiceEntry \(other.entry.reference) at \(other.location)) share TCP port \(number.value) by DNS without addresses: connections for one may arrive at the other",
            at: number.location, resource: entry.description,
            help: "give each its own port or addresses, or protocol TLS if clients send a server name"))
      }
    }
    return diagnostics
  }

  private static func isByName(_ spec: ServiceEntry) -> Bool {
    (spec.effectiveResolution == .dns || spec.effectiveResolution == .dnsRoundRobin) && spec.addresses.isEmpty
  }

  /// The protocol names neither a host nor a server.
  private static func isOpaque(_ port: ServiceEntry.Port) -> Bool {
    switch port.protocolName.flatMap({ PortProtocol(name: $0.value) }) {
    case .tcp, .mongo, .mysql, .redis, nil: return true
    default: return false
    }
  }
}
