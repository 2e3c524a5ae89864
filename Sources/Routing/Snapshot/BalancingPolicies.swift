/// A new endpoint gets its share bit by bit (DestinationRule `warmup`, Envoy's slow start).
package struct WarmupPolicy: Sendable, Hashable {
  /// How long it takes, in milliseconds.
  package var durationMilliseconds: Int64
  /// The share that an endpoint begins with, 0 to 1.
  package var minimum = 0.1
  /// Above 1 the share grows faster at the beginning.
  package var aggression = 1.0

  package init(durationMilliseconds: Int64) {
    self.durationMilliseconds = durationMilliseconds
  }
}

/// Endpoints in the instance's zone come first, as far as they can take it (DestinationRule `zoneAwareLbSetting`).
package struct ZoneAwarePolicy: Sendable, Hashable {
  /// Where the instance is.
  package var locality: String
  /// With fewer endpoints zones are not looked at.
  package var minClusterSize = 6

  package init(locality: String) {
    self.locality = locality
  }
}
