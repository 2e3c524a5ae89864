import Routing

/// Differences for machines.
package enum DifferenceForms {
  /// All differences; `different` says whether there are any.
  package static func json(_ differences: [InstanceDifference]) -> JSON {
    .object([("different", .bool(!differences.isEmpty)), ("instances", .array(differences.map(json)))])
  }

  private static func json(_ difference: InstanceDifference) -> JSON {
    .object([
      ("instance", .string(difference.instance)), ("change", .string(difference.kind.rawValue)),
      ("listeners", .array(difference.listeners.map(json))),
      ("requests", .array(difference.requests.filter(\.witness.isHTTP).map(json))),
      ("connections", .array(difference.requests.filter { !$0.witness.isHTTP }.map(json))),
      ("unwitnessedRules", .array(difference.rules.map(json))),
      ("certificates", .array(difference.certificates.map(json))),
      ("clusters", .array(difference.clusters.map(json))), ("settings", .array(difference.others.map(json))),
    ])
  }

  private static func json(_ item: NamedDifference) -> JSON {
    .object([
      ("name", .string(item.name)), ("change", .string(item.kind.rawValue)),
      ("changes", .array(item.changes.map(json))),
    ])
  }

  private static func json(_ change: ValueChange) -> JSON {
    .object([("name", .string(change.name)), ("old", .optional(change.old)), ("new", .optional(change.new))])
  }

  private static func json(_ request: RequestDifference) -> JSON {
    .object([
      ("listener", .string(request.listener)), ("hosts", .strings(request.hosts)),
      ("witness", ExplanationForms.json(request.witness)), ("old", json(request.old)), ("new", json(request.new)),
      ("changes", .array(request.changes.map(json))),
    ])
  }

  private static func json(_ rule: RuleDifference) -> JSON {
    .object([
      ("listener", .string(rule.listener)), ("hosts", .strings(rule.hosts)), ("old", .optional(rule.change.old)),
      ("new", .optional(rule.change.new)), ("changes", .array(rule.change.changes.map(json))),
    ])
  }

  private static func json(_ outcome: RequestOutcome) -> JSON {
    .object([("destination", .string(outcome.destination)), ("location", .optional(outcome.location))])
  }
}
