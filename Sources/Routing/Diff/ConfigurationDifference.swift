/// A value that is not what it was; nil: it is not there.
package struct ValueChange: Sendable, Hashable {
  package let name: String
  package let old: String?
  package let new: String?

  init(_ name: String, _ old: String?, _ new: String?) {
    self.name = name
    self.old = old
    self.new = new
  }

  /// The settings that differ, in their order; several of one name are compared together.
  static func between(_ old: [Setting], _ new: [Setting]) -> [ValueChange] {
    var names: [String] = []
    for setting in old + new where !names.contains(setting.name) { names.append(setting.name) }
    return names.compactMap { name in
      let before = joined(old, name)
      let after = joined(new, name)
      // What is not there, and what is said to be none, are the same.
      return (before ?? "none") == (after ?? "none") ? nil : ValueChange(name, before, after)
    }
  }

  private static func joined(_ settings: [Setting], _ name: String) -> String? {
    let values = settings.filter { $0.name == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }
}

/// Something that is in one configuration, or in both and not the same.
package struct NamedDifference: Sendable, Hashable {
  package enum Kind: String, Sendable {
    case added, removed, changed
  }

  package let name: String
  package let kind: Kind
  package let changes: [ValueChange]
}

/// A kind of request or connection that is treated differently, shown by one of them.
package struct RequestDifference: Sendable {
  /// `0.0.0.0_443`
  package let listener: String
  package let witness: SampleRequest
  package let old: RequestOutcome
  package let new: RequestOutcome
  package let changes: [ValueChange]
  /// The hosts that it was seen with.
  package var hosts: [String]
}

/// A rule that changed without a request that shows it. One side is nil where it has no such rule.
package struct RuleChange: Sendable, Hashable {
  /// `gateways/egress.yaml:31:5`
  package let old: String?
  package let new: String?
  package let changes: [ValueChange]
}

/// A change of rules that may matter to requests to some hosts, though none was found.
package struct RuleDifference: Sendable {
  /// `0.0.0.0_443`
  package let listener: String
  package let change: RuleChange
  package var hosts: [String]
}

/// How two configurations of one instance differ for those who use it.
package struct InstanceDifference: Sendable {
  /// `httpbin-egress.httpbin`
  package let instance: String
  /// Whether both configurations declare the instance.
  package let kind: NamedDifference.Kind
  /// Listeners that are opened, closed, or serve something else.
  package var listeners: [NamedDifference] = []
  package var requests: [RequestDifference] = []
  package var rules: [RuleDifference] = []
  /// By listener and server name: certificates, versions, client certificates.
  package var certificates: [NamedDifference] = []
  package var clusters: [NamedDifference] = []
  /// Health checks, and settings of the whole instance.
  package var others: [NamedDifference] = []

  init(_ instance: String, _ kind: NamedDifference.Kind) {
    self.instance = instance
    self.kind = kind
  }

  package var isEmpty: Bool {
    kind == .changed && listeners.isEmpty && requests.isEmpty && rules.isEmpty && certificates.isEmpty
      && clusters.isEmpty
      && others.isEmpty
  }
}
