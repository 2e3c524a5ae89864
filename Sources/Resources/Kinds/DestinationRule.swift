/// networking.istio.io DestinationRule: how a host is spoken to.
package struct DestinationRule: Sendable {
  package struct Subset: Sendable {
    package var name: Located<String>?
    package var labels: [String: Located<String>]
    package var trafficPolicy: TrafficPolicy?

    init(_ reader: FieldReader) {
      name = reader.string("name")
      labels = reader.stringMap("labels")
      trafficPolicy = reader.object("trafficPolicy", TrafficPolicy.init)
      HostRules.checkLabels(labels, reader.context)
      reader.require("name", name, "subset name cannot be empty")
      if let name, !name.value.isEmpty, !HostRules.isLabel(name.value) {
        reader.context.error("subset name is invalid: \(name.value)", at: name.location)
      }
    }
  }

  package var host: Located<String>?
  package var trafficPolicy: TrafficPolicy?
  package var subsets: [Subset]
  package var exportTo: [Located<String>]
  package var workloadSelector: [String: Located<String>]?

  init(_ reader: FieldReader) {
    host = reader.string("host")
    trafficPolicy = reader.object("trafficPolicy", TrafficPolicy.init)
    subsets = reader.objects("subsets", null: "subset may not be null", Subset.init)
    exportTo = reader.strings("exportTo")
    workloadSelector = reader.object("workloadSelector") { $0.stringMap("matchLabels") }
    reader.require("host", host, "destination rule host cannot be empty")
    if let host, !host.value.isEmpty, let problem = HostRules.problem(with: host.value, allowsWildcard: true),
      !HostRules.isIPLiteral(host.value)
    {
      reader.context.error(problem, at: host.location)
    }
    var seen: Set<String> = []
    for name in subsets.compactMap(\.name) where !seen.insert(name.value).inserted {
      reader.context.error("duplicate subset names: \(name.value)", at: name.location)
    }
    HostRules.checkExportTo(exportTo, reader.context)
    guard let workloadSelector else { return }
    HostRules.checkSelector(workloadSelector, at: reader.keyLocation("workloadSelector"), reader.context)
    if exportTo.count > 1 {
      reader.context.error(
        "destination rule with workload selector cannot have multiple entries in exportTo", at: exportTo[1].location)
    } else if let entry = exportTo.first, entry.value != "." {
      reader.context.error(
        "destination rule with workload selector cannot have exportTo beyond current namespace", at: entry.location)
    }
  }
}
