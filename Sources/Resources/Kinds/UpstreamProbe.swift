/// sallyport.dev UpstreamProbe: an active health check that readiness and balancing follow.
package struct UpstreamProbe: Sendable {
  package enum Gate: String, Sendable, CaseIterable {
    case readiness
    case loadBalancing
  }

  package var host: Located<String>?
  package var subset: Located<String>?
  package var port: Located<Int>?
  package var probe: ReadinessProbe?
  package var gates: Set<Gate>
  package var minHealthyPercent: Int

  init(_ reader: FieldReader) {
    host = reader.string("host")
    subset = reader.string("subset")
    port = reader.integer("port")
    probe = reader.object("probe", ReadinessProbe.init)
    minHealthyPercent = 0
    gates = []
    let names = reader.strings("gates")
    for name in names {
      if let gate = Gate(rawValue: name.value) {
        gates.insert(gate)
      } else {
        reader.context.error(
          "gates: unknown value \"\(name.value)\"", at: name.location,
          help: Suggestion.help(for: name.value, among: Gate.allCases.map(\.rawValue))
            ?? "one of readiness, loadBalancing")
      }
    }
    if names.isEmpty { gates = Set(Gate.allCases) }
    if let percent = reader.integer("minHealthyPercent") {
      minHealthyPercent = percent.value
      if !(0...100).contains(percent.value) {
        reader.context.error("percentage \(percent.value) is not in range 0..100", at: percent.location)
      }
    }
    reader.require("host", host, "host is required")
    reader.require("port", "port is required")
    reader.require("probe", "probe is required")
    if let host, !host.value.isEmpty, !HostRules.isIPLiteral(host.value),
      let problem = HostRules.problem(with: host.value, allowsWildcard: false)
    {
      reader.context.error(problem, at: host.location)
    }
    HostRules.checkPort(port, reader.context)
    if let probe {
      let kinds = (probe.httpGet == nil ? 0 : 1) + (probe.grpc == nil ? 0 : 1) + (probe.tcpSocket ? 1 : 0)
      if kinds != 1 {
        reader.context.error(
          "probe must have \(kinds == 0 ? "" : "only ")one of httpGet, tcpSocket, grpc", at: probe.location)
      }
    }
  }
}
