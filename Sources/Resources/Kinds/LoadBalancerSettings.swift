/// `loadBalancer`: which endpoint a request goes to.
package struct LoadBalancerSettings: Sendable {
  package enum Simple: String, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED"
    case leastConnections = "LEAST_CONN"
    case random = "RANDOM"
    case passthrough = "PASSTHROUGH"
    case roundRobin = "ROUND_ROBIN"
    case leastRequest = "LEAST_REQUEST"
  }

  /// A new endpoint gets its share bit by bit.
  package struct Warmup: Sendable {
    /// In milliseconds.
    package var duration: Located<Int>?
    /// 0 to 100
    package var minimumPercent: Located<Double>?
    package var aggression: Located<Double>?

    init(_ reader: FieldReader) {
      duration = reader.duration("duration")
      minimumPercent = reader.double("minimumPercent")
      aggression = reader.double("aggression")
      reader.require("duration", "duration is required")
      if let minimumPercent, !(0...100).contains(minimumPercent.value) {
        reader.context.error("minimumPercent value should be less than or equal to 100", at: minimumPercent.location)
      }
      if let aggression, aggression.value <= 0 {
        reader.context.error("aggression should be greater than 0", at: aggression.location)
      }
    }
  }

  package var simple: Located<Simple>?
  package var consistentHash: ConsistentHash?
  package var localityLbSetting: LocalitySetting?
  package var zoneAwareLbSetting: LocalitySetting?
  package var warmup: Warmup?
  /// In milliseconds; `warmup` wins.
  package var warmupDurationSecs: Located<Int>?

  init(_ reader: FieldReader) {
    simple = reader.enumeration("simple")
    consistentHash = reader.object("consistentHash", ConsistentHash.init)
    localityLbSetting = reader.object("localityLbSetting") { LocalitySetting($0, isZoneAware: false) }
    zoneAwareLbSetting = reader.object("zoneAwareLbSetting") { LocalitySetting($0, isZoneAware: true) }
    warmup = reader.object("warmup", Warmup.init)
    warmupDurationSecs = reader.duration("warmupDurationSecs")
    reader.deprecated("warmupDurationSecs", use: "warmup.duration")
    reader.exclusive("simple", "consistentHash")
    reader.excludes("localityLbSetting", "zoneAwareLbSetting")
    if localityLbSetting != nil, zoneAwareLbSetting != nil {
      reader.context.error(
        "only one of localityLbSetting and zoneAwareLbSetting can be set", at: reader.keyLocation("zoneAwareLbSetting"))
    }
  }
}
