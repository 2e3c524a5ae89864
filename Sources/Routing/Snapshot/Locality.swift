/// Where an endpoint or an instance is: `region/zone/subzone`, the later parts may be missing.
package struct Locality: Sendable, Hashable {
  package var region: String
  package var zone: String
  package var subzone: String

  /// The labels by which nodes, and the pods of a mesh, say it.
  package static let regionLabel = "topology.kubernetes.io/region"
  package static let zoneLabel = "topology.kubernetes.io/zone"
  package static let subzoneLabel = "topology.istio.io/subzone"

  package init(_ text: String, separator: Character = "/") {
    let parts = text.split(separator: separator, maxSplits: 2, omittingEmptySubsequences: false).map { String($0) }
    region = parts.first ?? ""
    zone = parts.count > 1 ? parts[1] : ""
    subzone = parts.count > 2 ? parts[2] : ""
  }

  /// What labels say: `istio-locality`, with dots where slashes may not be, wins over those of the topology. nil when
  /// they say nothing.
  package init?(labels: [String: String]) {
    if let text = labels["istio-locality"], !text.isEmpty {
      self.init(text, separator: text.contains("/") ? "/" : ".")
    } else {
      self.init("")
      region = labels[Self.regionLabel] ?? ""
      zone = labels[Self.zoneLabel] ?? ""
      subzone = labels[Self.subzoneLabel] ?? ""
    }
    if region.isEmpty, zone.isEmpty { return nil }
  }

  /// The labels that Istio gives to a workload of this locality.
  package var labels: [String: String] {
    [Self.regionLabel: region, Self.zoneLabel: zone, Self.subzoneLabel: subzone].filter { !$0.value.isEmpty }
  }

  package var text: String {
    var parts = [region, zone, subzone]
    while let last = parts.last, last.isEmpty { parts.removeLast() }
    return parts.joined(separator: "/")
  }

  /// Whether a pattern of `distribute` covers it: parts that are missing or `*` mean any (`util.LocalityMatch`).
  package func matches(_ pattern: Locality) -> Bool {
    (pattern.region == "*" || pattern.region == region)
      && (pattern.zone.isEmpty || pattern.zone == "*" || pattern.zone == zone)
      && (pattern.subzone.isEmpty || pattern.subzone == "*" || pattern.subzone == subzone)
  }

  /// How far another locality is: 0 the same, 1 another subzone, 2 another zone, 3 another region (`util.LbPriority`).
  package func distance(to other: Locality) -> Int {
    guard region == other.region else { return 3 }
    guard zone == other.zone else { return 2 }
    return subzone == other.subzone ? 0 : 1
  }
}
