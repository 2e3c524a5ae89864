import Proxy
import Routing

/// Compares two compiled configurations, instance by instance.
package enum ConfigurationComparison {
  /// The differences of the instances that were asked for, those without any left out.
  package static func compare(_ old: CompiledConfiguration, _ new: CompiledConfiguration) -> [InstanceDifference] {
    let before = selected(old)
    let after = selected(new)
    var differences: [InstanceDifference] = []
    for snapshot in before {
      guard let other = twin(of: snapshot, in: after) else {
        differences.append(SnapshotDiffer.onlyOne(snapshot, .removed))
        continue
      }
      let knowsSecrets = (!old.resources.secrets.isEmpty, !new.resources.secrets.isEmpty)
      differences.append(
        SnapshotDiffer(
          old: snapshot, new: other, knowsSecrets: knowsSecrets, inspect: CertificateInspection.inspector
        ).compare())
    }
    for snapshot in after where twin(of: snapshot, in: before) == nil {
      differences.append(SnapshotDiffer.onlyOne(snapshot, .added))
    }
    return differences.filter { !$0.isEmpty }.sorted { $0.instance < $1.instance }
  }

  private static func selected(_ configuration: CompiledConfiguration) -> [Snapshot] {
    configuration.snapshots.filter { configuration.selected.contains($0.identity) }
  }

  private static func twin(of snapshot: Snapshot, in others: [Snapshot]) -> Snapshot? {
    others.first {
      $0.identity.name == snapshot.identity.name && $0.identity.namespace == snapshot.identity.namespace
    }
  }
}
