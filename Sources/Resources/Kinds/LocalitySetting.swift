/// `localityLbSetting` and `zoneAwareLbSetting`: preference for endpoints that are near.
package struct LocalitySetting: Sendable {
  package struct Distribute: Sendable {
    package var from: Located<String>?
    /// Shares that add up to 100.
    package var to: [String: Located<Int>]
    /// The keys of `to`, in the order in which they are written.
    let localities: [Located<String>]
  }

  package struct Failover: Sendable {
    package var from: Located<String>?
    package var to: Located<String>?
  }

  package var location: SourceLocation
  package var enabled: Located<Bool>?
  package var distribute: [Distribute]
  package var failover: [Failover]
  package var failoverPriority: [Located<String>]
  package var minClusterSize: Located<Int>?

  init(_ reader: FieldReader, isZoneAware: Bool) {
    location = reader.location
    enabled = reader.boolean("enabled")
    distribute = []
    if isZoneAware {
      minClusterSize = reader.integer("minClusterSize", in: 1...Int.max)
    } else {
      distribute = reader.objects("distribute") { entry in
        Distribute(from: entry.string("from"), to: entry.integerMap("to"), localities: entry.keys("to"))
      }
    }
    failover = reader.objects("failover") { Failover(from: $0.string("from"), to: $0.string("to")) }
    failoverPriority = reader.strings("failoverPriority")
    check(reader.context)
  }

  private func check(_ context: DecodingContext) {
    if !distribute.isEmpty, !failover.isEmpty || !failoverPriority.isEmpty {
      context.error("can not simultaneously specify 'distribute' and 'failover'", at: location)
    }
    for entry in distribute {
      let weights = entry.to.sorted { $0.key < $1.key }.map(\.value)
      for weight in weights where !(1...100).contains(weight.value) {
        context.error("locality weight must be in range [1, 100]", at: weight.location)
      }
      let total = weights.reduce(0) { $0 + $1.value }
      if total != 100 {
        context.error(
          "total locality weight \(total) != 100", at: weights.first?.location ?? entry.from?.location ?? location)
      }
    }
    for entry in distribute { Self.check(entry.localities, context) }
    Self.check(distribute.compactMap(\.from), context)
    for entry in failover {
      let regions = [entry.from, entry.to].compactMap { $0 }
      for region in regions where region.value.contains("/") {
        context.error("locality lb failover settings must only specify region", at: region.location)
      }
      for region in regions where region.value.contains("*") {
        context.error("locality lb failover region should not contain '*' wildcard", at: region.location)
      }
      if let from = entry.from, let to = entry.to, from.value == to.value {
        context.error("locality lb failover settings must specify different regions", at: to.location)
      }
    }
  }

  /// Localities of one list: whole, with a wildcard at the end alone, and none within another (`validateLocalities`).
  private static func check(_ localities: [Located<String>], _ context: DecodingContext) {
    var seen: [[Substring]] = []
    for locality in localities {
      let text = locality.value
      let wildcards = text.count { $0 == "*" }
      if wildcards > 1 || wildcards == 1 && !text.hasSuffix("*") {
        context.error(
          "locality \(text) wildcard '*' number can not exceed 1 and must be in the end", at: locality.location)
        continue
      }
      var parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
      if parts.contains(where: \.isEmpty) {
        context.error("locality \(text) must not contain empty region/zone/subzone info", at: locality.location)
        continue
      }
      if parts.last == "*" { parts.removeLast() }
      if seen.contains(where: { $0.starts(with: parts) || parts.starts(with: $0) }) {
        context.error("locality \(text) overlap with previous specified ones", at: locality.location)
      }
      seen.append(parts)
    }
  }
}
