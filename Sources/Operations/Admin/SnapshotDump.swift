import Routing

/// What the admin endpoints say of a snapshot, for one that nobody runs: `proxy-config --from`.
package struct SnapshotDump {
  private let snapshot: Snapshot

  package init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
  }

  /// As `/config_dump`.
  package var everything: JSON { ConfigurationDump(snapshot).everything }

  /// As `/certs`.
  package var certificates: JSON { ConfigurationDump(snapshot).certificates }

  /// As `/clusters?format=json`, with the addresses and names that the configuration has; nobody knows their health.
  package var endpoints: JSON {
    .object([
      (
        "cluster_statuses",
        .array(
          snapshot.clusters.map { cluster in
            let settings = cluster.settings
            let known = settings.endpoints.map { ($0.address, $0.port) } + settings.dnsNames.map { ($0.name, $0.port) }
            return .object([
              ("name", .string(cluster.name)), ("host_statuses", .array(known.map { Self.host($0.0, Int($0.1)) })),
            ])
          })
      )
    ])
  }

  private static func host(_ address: String, _ port: Int) -> JSON {
    .object([
      ("address", Pipe.address(address, port)), ("health_status", .object([("eds_health_status", .string("UNKNOWN"))])),
    ])
  }
}
