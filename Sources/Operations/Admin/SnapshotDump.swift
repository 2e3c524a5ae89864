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
            let known =
              settings.endpoints.map { Self.host($0.address, $0.port, $0.weight, $0.priority, $0.locality) }
              + settings.dnsNames.map { Self.host($0.name, $0.port, $0.weight, $0.priority, $0.locality) }
            return .object([("name", .string(cluster.name)), ("host_statuses", .array(known))])
          })
      )
    ])
  }

  private static func host(
    _ address: String, _ port: UInt16, _ weight: UInt32, _ priority: Int32, _ locality: String
  ) -> JSON {
    .object([
      ("address", Pipe.address(address, Int(port))),
      ("health_status", .object([("eds_health_status", .string("UNKNOWN"))])), ("weight", .number(Int(weight))),
      ("priority", .number(Int(priority))), ("locality", Locality(locality).json),
    ])
  }
}

extension Locality {
  /// Envoy's form.
  var json: JSON {
    .object(
      [("region", region), ("zone", zone), ("sub_zone", subzone)].filter { !$0.1.isEmpty }.map {
        ($0.0, .string($0.1))
      })
  }
}
