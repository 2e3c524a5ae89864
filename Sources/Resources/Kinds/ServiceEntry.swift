/// networking.istio.io ServiceEntry: hosts that Kubernetes does not know.
package struct ServiceEntry: Sendable {
  package enum Location: String, Sendable, CaseIterable {
    case external = "MESH_EXTERNAL"
    case `internal` = "MESH_INTERNAL"
  }

  package enum Resolution: String, Sendable, CaseIterable {
    case none = "NONE"
    case `static` = "STATIC"
    case dns = "DNS"
    case dnsRoundRobin = "DNS_ROUND_ROBIN"
    case dynamicDNS = "DYNAMIC_DNS"
  }

  package struct Port: Sendable {
    package var number: Located<Int>?
    package var name: Located<String>?
    package var protocolName: Located<String>?
    package var targetPort: Located<Int>?

    init(_ reader: FieldReader) {
      number = reader.integer("number")
      name = reader.string("name")
      protocolName = reader.string("protocol")
      targetPort = reader.integer("targetPort")
      reader.require(number != nil, "port number must be set")
      reader.require(name.map { !$0.value.isEmpty } ?? false, "port name must be set")
      HostRules.checkPort(number, reader.context)
      HostRules.checkPort(targetPort, reader.context)
      if let protocolName, PortProtocol(name: protocolName.value) == nil {
        reader.context.error(
          "unsupported protocol: \(protocolName.value)", at: protocolName.location,
          help: Suggestion.help(for: protocolName.value, among: PortProtocol.allCases.map(\.rawValue)))
      }
    }
  }

  package var hosts: [Located<String>]
  package var ports: [Port]
  package var location: Location
  package var resolution: Located<Resolution>?
  package var endpoints: [WorkloadEntry]
  package var workloadSelector: [String: Located<String>]?
  package var exportTo: [Located<String>]
  package var subjectAltNames: [Located<String>]

  init(_ reader: FieldReader) {
    hosts = reader.strings("hosts")
    reader.accept("addresses")
    ports = reader.objects("ports", Port.init)
    location = reader.enumeration("location")?.value ?? .external
    resolution = reader.enumeration("resolution")
    endpoints = reader.objects("endpoints", WorkloadEntry.init)
    workloadSelector = reader.object("workloadSelector") { $0.stringMap("labels") }
    exportTo = reader.strings("exportTo")
    subjectAltNames = reader.strings("subjectAltNames")
    check(reader)
  }

  /// The resolution in force: an omitted one means NONE.
  package var effectiveResolution: Resolution { resolution?.value ?? .none }

  private func check(_ reader: FieldReader) {
    let context = reader.context
    reader.require(!hosts.isEmpty, "service entry must have at least one host")
    for host in hosts {
      if host.value == "*" {
        context.error("invalid host *", at: host.location)
      } else if let problem = HostRules.problem(with: host.value, allowsWildcard: true) {
        context.error(problem, at: host.location)
      }
    }
    if !endpoints.isEmpty, workloadSelector != nil {
      context.error("only one of WorkloadSelector or Endpoints is allowed in Service Entry", at: reader.location)
    }
    checkPorts(context)
    checkEndpoints(context)
  }

  private func checkPorts(_ context: DecodingContext) {
    var names: Set<String> = []
    var numbers: Set<Int> = []
    for port in ports {
      if let name = port.name, !names.insert(name.value).inserted {
        context.error("service entry port name \"\(name.value)\" already defined", at: name.location)
      }
      if let number = port.number, !numbers.insert(number.value).inserted {
        context.error("service entry port \(number.value) already defined", at: number.location)
      }
    }
  }

  private func checkEndpoints(_ context: DecodingContext) {
    let portNames = Set(ports.compactMap(\.name?.value))
    for endpoint in endpoints {
      for (name, port) in endpoint.ports where !portNames.contains(name) {
        context.error(
          "endpoint port \(name) is not defined by the service entry", at: port.location,
          help: Suggestion.help(for: name, among: portNames.sorted()))
      }
    }
    switch effectiveResolution {
    case .none:
      if let first = endpoints.first {
        context.error("no endpoints should be provided for resolution type none", at: first.location)
      }
    case .static:
      for address in endpoints.compactMap(\.address)
      where !HostRules.isIPLiteral(address.value) && !address.value.hasPrefix("unix:") {
        context.error("endpoint address \"\(address.value)\" is not a valid IP address", at: address.location)
      }
    case .dns, .dnsRoundRobin:
      if effectiveResolution == .dnsRoundRobin, endpoints.count > 1 {
        context.error(
          "there must only be 0 or 1 endpoint for resolution mode DNS_ROUND_ROBIN", at: endpoints[1].location)
      }
      for host in hosts where endpoints.isEmpty && host.value.hasPrefix("*") {
        context.error(
          "hosts must be FQDN if no endpoints are provided for resolution mode \(effectiveResolution.rawValue)",
          at: host.location)
      }
    case .dynamicDNS: break
    }
  }
}

/// networking.istio.io WorkloadEntry, also as an endpoint of a ServiceEntry.
package struct WorkloadEntry: Sendable {
  package var location: SourceLocation
  package var address: Located<String>?
  package var ports: [String: Located<Int>]
  package var labels: [String: String]
  package var locality: Located<String>?
  package var weight: Located<Int>?

  init(_ reader: FieldReader) {
    location = reader.location
    address = reader.string("address")
    ports = reader.integerMap("ports")
    labels = reader.stringMap("labels").mapValues(\.value)
    locality = reader.string("locality")
    weight = reader.integer("weight")
    reader.accept("network", "serviceAccount")
    reader.require(address.map { !$0.value.isEmpty } ?? false, "address is required")
  }
}
