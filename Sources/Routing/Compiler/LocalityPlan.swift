import Resources

/// How the endpoints of one cluster are ranked and weighted by where they are, as Istio's control plane does it for a
/// proxy (`loadbalancer.go`): priorities for failover, weights for `distribute`.
struct LocalityPlan {
  private enum Mode {
    case none
    /// The localities that get traffic, with their shares.
    case distribute([(to: Locality, weight: Int)])
    case failover(labels: [String], regions: [String: String])
    case zoneAware(labels: [String], regions: [String: String], ranks: Bool)
  }

  private let own: Locality?
  private let labels: [String: String]
  private var mode = Mode.none
  private var zoneAware: ZoneAwarePolicy?
  /// The setting of a DestinationRule that has no effect, because where the instance is nobody says.
  private(set) var helpless: SourceLocation?

  /// What settings there are, the nearest first: the DestinationRule's, the Service's, the mesh's.
  struct Sources {
    var rule: LoadBalancerSettings?
    var hasOutlierDetection = false
    var trafficDistribution: String?
    var mesh = Mesh()
  }

  /// The settings of the mesh, for hosts whose DestinationRule and Service say nothing.
  struct Mesh {
    var localityLbSetting: LocalitySetting?
    var zoneAwareLbSetting: LocalitySetting?
  }

  init(for identity: InstanceIdentity, _ sources: Sources) {
    let own = identity.locality
    self.own = own
    labels = identity.labels.merging(own?.labels ?? [:]) { first, _ in first }
    let isRanked = sources.hasOutlierDetection
    if let setting = sources.rule?.zoneAwareLbSetting {
      setZoneAware(setting, isRanked)
    } else if let setting = sources.rule?.localityLbSetting {
      set(setting, isRanked)
    } else if let labels = Self.labels(ofDistribution: sources.trafficDistribution) {
      // It needs no outlier detection.
      mode = .failover(labels: labels, regions: [:])
    } else if let setting = sources.mesh.zoneAwareLbSetting, setting.enabled?.value == true {
      setZoneAware(setting, isRanked)
    } else if let setting = sources.mesh.localityLbSetting {
      set(setting, isRanked)
    } else if isRanked {
      mode = .failover(labels: [], regions: [:])
    }
  }

  /// `distribute` wins; failover only where failures are noticed.
  private mutating func set(_ setting: LocalitySetting, _ isRanked: Bool) {
    guard setting.enabled?.value ?? true else { return }
    if own == nil, !setting.distribute.isEmpty || !setting.failover.isEmpty { helpless = setting.location }
    if !setting.distribute.isEmpty {
      guard let own else { return }
      let entry = setting.distribute.first { $0.from.map { own.matches(Locality($0.value)) } ?? false }
      let shares = entry?.to.sorted { $0.key < $1.key }.map {
        (to: Locality($0.key), weight: min(100, max(0, $0.value.value)))
      }
      if let shares { mode = .distribute(shares) }
    } else if isRanked {
      mode = .failover(labels: setting.failoverPriority.map(\.value), regions: Self.regions(setting))
    }
  }

  private mutating func setZoneAware(_ setting: LocalitySetting, _ isRanked: Bool) {
    guard setting.enabled?.value ?? true else { return }
    guard let own else {
      helpless = setting.location
      return
    }
    var policy = ZoneAwarePolicy(locality: own.text)
    if let size = setting.minClusterSize { policy.minClusterSize = size.value }
    zoneAware = policy
    mode = .zoneAware(
      labels: setting.failoverPriority.map(\.value), regions: Self.regions(setting), ranks: isRanked)
  }

  private static func regions(_ setting: LocalitySetting) -> [String: String] {
    Dictionary(
      setting.failover.compactMap { entry in entry.from.flatMap { from in entry.to.map { (from.value, $0.value) } } },
      uniquingKeysWith: { first, _ in first })
  }

  /// A Service's `trafficDistribution`, in labels that must be equal.
  private static func labels(ofDistribution name: String?) -> [String]? {
    let zone = ["topology.istio.io/network", Locality.regionLabel, Locality.zoneLabel]
    switch name {
    case "PreferClose": return zone + [Locality.subzoneLabel]
    case "PreferSameZone": return zone
    case "PreferSameNode": return zone + [Locality.subzoneLabel, "kubernetes.io/hostname"]
    default: return nil
    }
  }

  // MARK: Endpoints

  /// The rank of an endpoint before `finish` closes the gaps; 0 is the best.
  func rank(locality text: String, labels: [String: String]) -> Int32 {
    let locality = Locality(text)
    switch mode {
    case .none, .distribute: return 0
    case .failover(let wanted, let regions):
      let byLabel = mismatch(wanted, labels, locality)
      if !wanted.isEmpty, regions.isEmpty { return Int32(byLabel) }
      return Int32(byLabel * 5 + distance(to: locality, regions))
    case .zoneAware(let wanted, let regions, let ranks):
      guard ranks, let own else { return 0 }
      let bucket = own.region == locality.region ? 0 : regions[own.region] == locality.region ? 1 : 2
      return Int32(mismatch(wanted, labels, locality) * 3 + bucket)
    }
  }

  /// Where the instance is, if it knows it, and the endpoint: 0 to 3, and 4 for regions that failover does not go to.
  private func distance(to locality: Locality, _ regions: [String: String]) -> Int {
    guard let own else { return 0 }
    let distance = own.distance(to: locality)
    guard distance == 3, let target = regions[own.region], target != locality.region else { return distance }
    return 4
  }

  /// How many labels are left from the first one that differs (`failoverPriority`); `key=value` names the value.
  private func mismatch(_ wanted: [String], _ labels: [String: String], _ locality: Locality) -> Int {
    let all = labels.merging(locality.labels) { first, _ in first }
    for (index, text) in wanted.enumerated() {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      let key = parts.first ?? text
      let value = parts.count > 1 ? parts[1] : self.labels[key] ?? ""
      if value != all[key] ?? "" { return wanted.count - index }
    }
    return 0
  }

  /// Closes gaps between ranks, and gives localities their shares.
  func finish(_ settings: inout Cluster.Settings) {
    settings.zoneAware = zoneAware
    if case .distribute(let shares) = mode { return distribute(shares, &settings) }
    let ranks = Set(settings.endpoints.map(\.priority) + settings.dnsNames.map(\.priority)).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: ranks.enumerated().map { ($1, Int32($0)) })
    for index in settings.endpoints.indices {
      settings.endpoints[index].priority = numbers[settings.endpoints[index].priority] ?? 0
    }
    for index in settings.dnsNames.indices {
      settings.dnsNames[index].priority = numbers[settings.dnsNames[index].priority] ?? 0
    }
  }

  /// A share that several localities match is divided by their weights; localities that none matches get nothing.
  private func distribute(_ shares: [(to: Locality, weight: Int)], _ settings: inout Cluster.Settings) {
    var sizes: [String: Int] = [:]
    for endpoint in settings.endpoints { sizes[endpoint.locality, default: 0] += Int(endpoint.weight) }
    for name in settings.dnsNames { sizes[name.locality, default: 0] += Int(name.weight) }
    var weights: [String: UInt32] = [:]
    for share in shares {
      let matching = sizes.filter { weights[$0.key] == nil && Locality($0.key).matches(share.to) }
      let total = matching.values.reduce(0, +)
      for (locality, size) in matching {
        weights[locality] = UInt32(clamping: (size * share.weight + total - 1) / max(1, total))
      }
    }
    settings.endpoints = settings.endpoints.compactMap { endpoint in
      var endpoint = endpoint
      endpoint.localityWeight = weights[endpoint.locality] ?? 0
      return endpoint.localityWeight == 0 ? nil : endpoint
    }
    settings.dnsNames = settings.dnsNames.compactMap { name in
      var name = name
      name.localityWeight = weights[name.locality] ?? 0
      return name.localityWeight == 0 ? nil : name
    }
  }
}

extension InstanceIdentity {
  /// Where the instance is, by its labels; nil when they do not say.
  package var locality: Locality? { Locality(labels: labels) }
}
