/// networking.istio.io WorkloadEntry, also as an endpoint of a ServiceEntry.
package struct WorkloadEntry: Sendable {
  package var location: SourceLocation
  package var address: Located<String>?
  package var ports: [String: Located<Int>]
  /// The keys of `ports`, in the order in which they are written.
  let portNames: [Located<String>]
  package var labels: [String: String]
  package var locality: Located<String>?
  package var network: Located<String>?
  package var serviceAccount: Located<String>?
  package var weight: Located<Int>?

  init(_ reader: FieldReader) {
    location = reader.location
    address = reader.string("address")
    ports = reader.integerMap("ports")
    portNames = reader.keys("ports")
    let labels = reader.stringMap("labels")
    HostRules.checkLabels(labels, reader.context)
    self.labels = labels.mapValues(\.value)
    locality = reader.string("locality")
    network = reader.string("network")
    serviceAccount = reader.string("serviceAccount")
    weight = reader.integer("weight", in: 0...Int(UInt32.max))
    check(reader)
  }

  /// A resource of its own: its address may be a name. That of an endpoint depends on the ServiceEntry's resolution.
  init(resource reader: FieldReader) {
    self.init(reader)
    guard let address, !address.value.isEmpty, !isUnix, !HostRules.isIPLiteral(address.value),
      HostRules.problem(with: address.value, allowsWildcard: false) != nil
    else { return }
    reader.context.error(
      "endpoint address \"\(address.value)\" is not a valid FQDN or an IP address", at: address.location)
  }

  /// Whether the address is a socket's path.
  package var isUnix: Bool { address?.value.hasPrefix("unix:") ?? false }

  private func check(_ reader: FieldReader) {
    let context = reader.context
    if network == nil {
      reader.require("address", address, "address is required")
    } else if address == nil {
      context.warning("address is required", at: location)
    }
    let numbers = ports.values.sorted { $0.location.line < $1.location.line }
    for port in numbers { HostRules.checkPort(port, context) }
    HostRules.checkPortNames(portNames, context)
    guard let address, isUnix else { return }
    if let port = numbers.first {
      context.error("unix endpoint \(address.value) must not include ports", at: port.location)
    }
    HostRules.checkUnixAddress(address, context)
  }
}
