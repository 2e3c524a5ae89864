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
      reader.require("number", "port number must be set")
      reader.require("name", name, "port name must be set")
      if let name, !name.value.isEmpty, !HostRules.isLabel(name.value) {
        reader.context.error("invalid port name: \(name.value)", at: name.location)
      }
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
  package var addresses: [Located<String>]
  package var ports: [Port]
  package var location: Location
  package var resolution: Located<Resolution>?
  package var endpoints: [WorkloadEntry]
  package var workloadSelector: [String: Located<String>]?
  package var exportTo: [Located<String>]
  package var subjectAltNames: [Located<String>]

  init(_ reader: FieldReader) {
    hosts = reader.strings("hosts")
    addresses = reader.strings("addresses")
    ports = reader.objects("ports", null: "service entry port may not be null", Port.init)
    location = reader.enumeration("location")?.value ?? .external
    resolution = reader.enumeration("resolution")
    endpoints = reader.objects("endpoints", null: "endpoint cannot be nil") { WorkloadEntry($0) }
    workloadSelector = reader.object("workloadSelector") { $0.stringMap("labels") }
    exportTo = reader.strings("exportTo")
    subjectAltNames = reader.strings("subjectAltNames")
    check(reader)
  }

  /// The resolution in force: an omitted one means NONE.
  package var effectiveResolution: Resolution { resolution?.value ?? .none }

  private func check(_ reader: FieldReader) {
    let context = reader.context
    reader.require("hosts", nonEmpty: hosts, "service entry must have at least one host")
    HostRules.checkExportTo(exportTo, allowsNobody: true, context)
    reader.excludes("workloadSelector", "endpoints")
    if !endpoints.isEmpty, workloadSelector != nil {
      context.error(
        "only one of WorkloadSelector or Endpoints is allowed in Service Entry",
        at: reader.keyLocation("workloadSelector"))
    }
    if let workloadSelector {
      HostRules.checkSelector(
        workloadSelector, at: reader.keyLocation("workloadSelector"), of: "service entry", context)
    }
    checkHosts(context)
    checkAddresses(context)
    checkPorts(context)
    checkEndpointPorts(context)
    checkResolution(reader)
  }

  private func checkHosts(_ context: DecodingContext) {
    for host in hosts {
      if host.value == "*" {
        context.error("invalid host *", at: host.location)
      } else if host.value.hasPrefix("*"), !host.value.hasPrefix("*.") {
        context.warning("partial wildcard \"\(host.value)\" may not be supported", at: host.location)
      } else if !HostRules.isIPLiteral(host.value),
        let problem = HostRules.problem(with: host.value, allowsWildcard: true)
      {
        context.error(problem, at: host.location)
      }
    }
  }

  private func checkAddresses(_ context: DecodingContext) {
    let allowsRanges = effectiveResolution == .none || effectiveResolution == .static
    for address in addresses {
      HostRules.checkSubnet(address, context)
      if !allowsRanges, address.value.contains("/") {
        context.error("CIDR addresses are allowed only for NONE/STATIC resolution types", at: address.location)
      }
    }
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
      if hosts.count > 1, effectiveResolution != .none, let place = port.number?.location {
        let kind = port.protocolName.flatMap { PortProtocol(name: $0.value) }
        if kind == .tcp || kind == .mongo || kind == .mysql || kind == .redis {
          context.error(
            "multiple hosts provided with non-HTTP, non-TLS ports", at: port.protocolName?.location ?? place)
        }
      }
    }
  }

  private func checkEndpointPorts(_ context: DecodingContext) {
    let portNames = Set(ports.compactMap(\.name?.value))
    for endpoint in endpoints {
      for name in endpoint.portNames where !portNames.contains(name.value) {
        context.error(
          "endpoint port \(name.value) is not defined by the service entry", at: name.location,
          help: Suggestion.help(for: name.value, among: portNames.sorted()))
      }
      if endpoint.isUnix, ports.count != 1 {
        context.error("exactly 1 service port required for unix endpoints", at: endpoint.address?.location)
      }
    }
  }

  private func checkResolution(_ reader: FieldReader) {
    let context = reader.context
    switch effectiveResolution {
    case .none:
      if let first = endpoints.first {
        context.error(
          "no endpoints should be provided for resolution type none", at: first.location,
          help: resolution == nil
            ? "an omitted resolution means NONE; add \"resolution: STATIC\" or \"resolution: DNS\"" : nil)
      }
      if workloadSelector != nil {
        context.warning(
          "workloadSelector should not be set when resolution mode is NONE",
          at: reader.keyLocation("workloadSelector"))
      }
    case .static:
      for endpoint in endpoints where !endpoint.isUnix {
        guard let address = endpoint.address, !HostRules.isIPLiteral(address.value) else { continue }
        context.error("endpoint address \"\(address.value)\" is not a valid IP address", at: address.location)
      }
    case .dns, .dnsRoundRobin: checkNames(context)
    case .dynamicDNS: checkDynamic(reader)
    }
  }

  /// `DYNAMIC_DNS` looks up the name that a request or handshake carries.
  private func checkDynamic(_ reader: FieldReader) {
    let context = reader.context
    for host in hosts where !host.value.hasPrefix("*") {
      context.error("hosts must be wildcards for resolution mode DYNAMIC_DNS", at: host.location)
    }
    if let address = addresses.first {
      context.error("no addresses should be provided for resolution mode DYNAMIC_DNS", at: address.location)
    }
    if let endpoint = endpoints.first {
      context.error("no endpoints should be provided for resolution mode DYNAMIC_DNS", at: endpoint.location)
    }
    if location != .external {
      context.error(
        "location must be MESH_EXTERNAL for resolution mode DYNAMIC_DNS", at: reader.keyLocation("location"))
    }
    for port in ports {
      guard let name = port.protocolName, let kind = PortProtocol(name: name.value) else { continue }
      guard !kind.isHTTP, kind != .tls, kind != .https else { continue }
      context.error(
        "protocol \(name.value) is not supported for resolution mode DYNAMIC_DNS: one of HTTP, HTTP2, GRPC, TLS",
        at: name.location)
    }
  }

  private func checkNames(_ context: DecodingContext) {
    let mode = effectiveResolution.rawValue
    if effectiveResolution == .dnsRoundRobin, endpoints.count > 1 {
      context.error("there must only be 0 or 1 endpoint for resolution mode \(mode)", at: endpoints[1].location)
    }
    for host in hosts where endpoints.isEmpty && host.value.hasPrefix("*") && host.value != "*" {
      context.error(
        "hosts must be FQDN if no endpoints are provided for resolution mode \(mode)", at: host.location)
    }
    for endpoint in endpoints {
      guard let address = endpoint.address, !address.value.isEmpty, !HostRules.isIPLiteral(address.value),
        HostRules.problem(with: address.value, allowsWildcard: false) != nil
      else { continue }
      context.error(
        "endpoint address \"\(address.value)\" is not a valid FQDN or an IP address", at: address.location)
    }
  }
}
