import Routing
import Transport

/// The endpoints of a cluster by priority, and in a priority by locality where localities have shares of their own. A
/// request first gets a priority, then a locality, then an endpoint.
struct EndpointLevels {
  /// A priority.
  private struct Level {
    let share: PriorityLoad.Share
    let groups: Range<Int>
    /// The sum of the groups'.
    let weight: UInt64
  }

  /// The endpoints of a priority, or of one locality in it.
  private struct Group {
    let weight: UInt64
    var balancer: LoadBalancer
  }

  private let prototype: LoadBalancer
  private let panicThreshold: Int
  private let zones: ZoneShares?
  private var levels: [Level] = []
  private var groups: [Group] = []

  /// - Parameter prototype: a balancer without endpoints, of the cluster's policy.
  init(_ prototype: LoadBalancer, panicThreshold: Int, zones: ZoneShares?) {
    self.prototype = prototype
    self.panicThreshold = panicThreshold
    self.zones = zones
  }

  /// The group that all requests go to, when there is only one.
  var only: LoadBalancer? {
    let used = levels.filter { $0.share.load > 0 }
    guard levels.count <= 1 else { return nil }
    guard let level = used.first else { return prototype }
    return level.groups.count == 1 ? groups[level.groups.lowerBound].balancer : nil
  }

  // MARK: Endpoints

  /// Takes over who there is and who is healthy.
  mutating func replace(_ all: [Ref<UpstreamEndpoint>]) {
    let count = all.map { $0.with { Int($0.priority) } }.max().map { $0 + 1 } ?? 0
    let members = (0..<count).map { priority in all.filter { $0.with { Int($0.priority) } == priority } }
    let shares = PriorityLoad.shares(
      members.map { .init(healthy: $0.count(where: Self.isUsable), total: $0.count) }, panicThreshold: panicThreshold)
    levels = []
    groups = []
    for (priority, (members, share)) in zip(members, shares).enumerated() {
      let start = groups.count
      let usable = share.isPanic ? members : members.filter(Self.isUsable)
      append(usable, of: members, share, isFirst: priority == 0)
      levels.append(
        Level(share: share, groups: start..<groups.count, weight: groups[start...].reduce(0) { $0 + $1.weight }))
    }
  }

  private static func isUsable(_ endpoint: Ref<UpstreamEndpoint>) -> Bool {
    endpoint.with { $0.isHealthy && !$0.isEjected }
  }

  private mutating func append(
    _ usable: [Ref<UpstreamEndpoint>], of members: [Ref<UpstreamEndpoint>], _ share: PriorityLoad.Share, isFirst: Bool
  ) {
    guard !usable.isEmpty else { return }
    let isWeighted = usable.contains { $0.with { $0.localityWeight > 0 } }
    let byZone = isFirst && !share.isPanic ? zones?.weights(usable) : nil
    guard isWeighted || byZone != nil else { return append(usable, weight: 1) }
    var weights: [Int32: UInt64] = byZone ?? [:]
    if byZone == nil {
      for locality in Set(usable.map { $0.with { $0.locality } }) {
        let own = members.filter { $0.with { $0.locality } == locality }
        let healthy = share.isPanic ? own.count : own.count(where: Self.isUsable)
        let weight = own.map { $0.with { $0.localityWeight } }.max() ?? 0
        weights[locality] = UInt64(weight) * UInt64(PriorityLoad.availability(healthy, of: own.count))
      }
    }
    if prototype.isHashing { return appendHashed(usable, weights) }
    for (locality, weight) in weights.sorted(by: { $0.key < $1.key }) where weight > 0 {
      append(usable.filter { $0.with { $0.locality } == locality }, weight: weight)
    }
  }

  private mutating func append(_ members: [Ref<UpstreamEndpoint>], weight: UInt64) {
    var balancer = prototype
    balancer.replace(members)
    groups.append(Group(weight: weight, balancer: balancer))
  }

  /// One table for a priority: an endpoint's weight is its part of its locality's share, as in Envoy.
  private mutating func appendHashed(_ usable: [Ref<UpstreamEndpoint>], _ weights: [Int32: UInt64]) {
    var sizes: [Int32: UInt64] = [:]
    for endpoint in usable { endpoint.with { sizes[$0.locality, default: 0] += UInt64($0.weight) } }
    let total = max(1, weights.values.reduce(0, +))
    let shares = usable.map { endpoint in
      endpoint.with { endpoint in
        let locality = weights[endpoint.locality] ?? 0
        return UInt32(
          clamping: UInt64(endpoint.weight) * locality * 10_000 / total / max(1, sizes[endpoint.locality] ?? 1))
      }
    }
    var balancer = prototype
    let taken = usable.indices.filter { shares[$0] > 0 }
    balancer.replace(taken.map { usable[$0] }, weights: taken.map { shares[$0] })
    groups.append(Group(weight: 1, balancer: balancer))
  }

  /// Takes over how far endpoints have warmed up. True while any of them has not.
  mutating func warm(now: Int64) -> Bool {
    var isWarming = false
    for index in groups.indices where groups[index].balancer.warm(now: now) { isWarming = true }
    return isWarming
  }

  // MARK: Choosing

  /// The next endpoint; nil when there is none.
  ///
  /// - Parameter excluded: a bit for each priority that is not to be used while another can be.
  mutating func pick(random: inout RandomSource, excluding excluded: UInt64 = 0) -> Ref<UpstreamEndpoint>? {
    let ticket = Int32(random.below(100))
    guard let level = excluded == 0 ? level(ticket) : level(ticket, excluding: excluded) else { return nil }
    let groups = levels[level].groups
    guard groups.count > 1 else {
      return groups.isEmpty ? nil : self.groups[groups.lowerBound].balancer.pick(random: &random)
    }
    var place = random.next() % max(1, levels[level].weight)
    for index in groups {
      if place < self.groups[index].weight { return self.groups[index].balancer.pick(random: &random) }
      place -= self.groups[index].weight
    }
    return nil
  }

  /// The endpoint for a hash, which chooses the priority as well.
  func pick(hash: UInt64) -> Ref<UpstreamEndpoint>? {
    guard let level = level(Int32(hash % 100)), let group = levels[level].groups.first else { return nil }
    return groups[group].balancer.pick(hash: hash)
  }

  private func level(_ ticket: Int32) -> Int? {
    var ticket = ticket
    for index in levels.indices {
      if ticket < levels[index].share.load { return index }
      ticket -= levels[index].share.load
    }
    return nil
  }

  /// The same with the load of some priorities on the others, by what those can take (Envoy's `previous_priorities`).
  private func level(_ ticket: Int32, excluding excluded: UInt64) -> Int? {
    var sum: Int32 = 0
    for index in levels.indices where !Self.has(index, excluded) { sum += levels[index].share.availability }
    guard sum > 0 else { return level(ticket) }
    sum = min(100, sum)
    var ticket = ticket * sum / 100
    for index in levels.indices where !Self.has(index, excluded) {
      if ticket < levels[index].share.availability { return index }
      ticket -= levels[index].share.availability
    }
    return level(ticket)
  }

  private static func has(_ index: Int, _ mask: UInt64) -> Bool { index < 64 && mask >> UInt64(index) & 1 == 1 }

  /// The first endpoint in use that fits.
  func first(where fits: (Ref<UpstreamEndpoint>) -> Bool) -> Ref<UpstreamEndpoint>? {
    for level in levels where level.share.load > 0 {
      for index in level.groups {
        if let endpoint = groups[index].balancer.endpoints.first(where: fits) { return endpoint }
      }
    }
    return nil
  }
}
