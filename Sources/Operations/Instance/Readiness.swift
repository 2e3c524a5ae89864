import Proxy
import Routing

/// Whether the instance should get traffic, and if not, why: its own state, and the health of the upstreams that it is
/// for.
package struct Readiness: Sendable {
  /// One thing that must hold.
  package struct Check: Sendable {
    package let name: String
    package let isGood: Bool
    package let reason: String?
  }

  package let checks: [Check]

  package init(checks: [Check]) {
    self.checks = checks
  }

  package var isReady: Bool { checks.allSatisfy(\.isGood) }

  /// The reasons of all checks that do not hold.
  package var reasons: [String] { checks.filter { !$0.isGood }.map { "\($0.name): \($0.reason ?? "not ready")" } }

  /// The checks of an instance.
  package static func of(
    listeners: [PublishProblem], isDraining: Bool, isFailedByHand: Bool, probes: [ProbeState],
    unmade: [UnmadeProbe] = []
  ) -> Readiness {
    var checks: [Check] = [Check(name: "configuration", isGood: true, reason: nil)]
    let bind = listeners.filter(\.isBindFailure)
    checks.append(
      Check(
        name: "listeners", isGood: bind.isEmpty,
        reason: bind.isEmpty ? nil : bind.map { "\($0.subject): \($0.reason)" }.joined(separator: "; ")))
    if isDraining { checks.append(Check(name: "drain", isGood: false, reason: "the instance is draining")) }
    if isFailedByHand {
      checks.append(Check(name: "healthcheck", isGood: false, reason: "failed by POST /healthcheck/fail"))
    }
    for probe in probes where probe.gatesReadiness {
      checks.append(
        Check(
          name: "upstream \(probe.cluster)", isGood: probe.isHealthy,
          reason: probe.reason.map { "\(probe.target): \($0)" }))
    }
    for probe in unmade where probe.gatesReadiness {
      checks.append(Check(name: "UpstreamProbe \(probe.name)", isGood: false, reason: probe.reason))
    }
    return Readiness(checks: checks)
  }

  /// The body for machines.
  package var json: JSON {
    .object([
      ("ready", .bool(isReady)),
      ("reasons", .strings(reasons)),
      (
        "checks",
        .array(
          checks.map { check in
            .object([
              ("name", .string(check.name)), ("ready", .bool(check.isGood)), ("reason", .optional(check.reason)),
            ])
          })
      ),
    ])
  }
}
