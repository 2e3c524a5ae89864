import Routing
import Testing
import Transport

@testable import Proxy

/// The division of load over priorities; the tables are those of Envoy's documentation.
@Suite struct PriorityLoadTests {
  private func loads(_ healthy: [Int], panic: Int = 0, total: Int = 100) -> [Int32] {
    PriorityLoad.shares(healthy.map { .init(healthy: $0, total: total) }, panicThreshold: panic).map(\.load)
  }

  @Test(
    arguments: [
      ([100, 100], [100, 0]), ([72, 100], [100, 0]), ([71, 100], [99, 1]), ([50, 100], [70, 30]),
      ([25, 100], [35, 65]),
      ([0, 100], [0, 100]), ([25, 25], [50, 50]), ([5, 0], [100, 0]), ([20, 10], [67, 33]),
      ([50, 50, 100], [70, 30, 0]),
      ([0, 0], [0, 0]), ([100], [100]), ([1], [100]),
    ] as [([Int], [Int32])])
  func `the first priorities take what they can`(healthy: [Int], expected: [Int32]) {
    #expect(loads(healthy) == expected)
  }

  @Test(
    arguments: [
      // Enough altogether: no panic, however bad one of them is.
      ([72, 0], [100, 0], [false, false]), ([30, 72], [42, 58], [false, false]),
      ([25, 60], [35, 65], [false, false]),
      // Too little altogether: those below the threshold panic; when all do, numbers decide.
      ([10, 50], [17, 83], [true, false]), ([20, 49], [50, 50], [true, true]),
      // Nobody at all.
      ([0, 0], [100, 0], [true, false]),
    ] as [([Int], [Int32], [Bool])])
  func `panic follows Envoy's rules`(healthy: [Int], expected: [Int32], panics: [Bool]) {
    let shares = PriorityLoad.shares(healthy.map { .init(healthy: $0, total: 100) }, panicThreshold: 50)
    #expect(shares.map(\.load) == expected && shares.map(\.isPanic) == panics)
  }

  /// On random levels: all load is given, none to nobody, and none to a later priority while an earlier one has room.
  @Test func `load is complete and in order`() {
    var random = RandomSource(seed: (5, 6, 7, 8))
    for _ in 0..<2000 {
      let levels = (0..<(1 + random.below(5))).map { _ in
        let total = random.below(20)
        return PriorityLoad.Level(healthy: random.below(total + 1), total: total)
      }
      let shares = PriorityLoad.shares(levels, panicThreshold: random.below(2) * 50)
      let sum = shares.reduce(0) { $0 + $1.load }
      let isAnybodyHealthy = levels.contains { $0.healthy > 0 }
      #expect(sum == 100 || (sum == 0 && !isAnybodyHealthy), "\(levels) \(shares)")
      guard shares.allSatisfy({ !$0.isPanic }) else { continue }
      for (index, share) in shares.enumerated() {
        #expect(share.load == 0 || levels[index].healthy > 0, "\(levels) \(shares)")
        let later = shares[(index + 1)...].contains { $0.load > 0 }
        #expect(!later || share.load >= share.availability || share.availability == 0, "\(levels) \(shares)")
      }
    }
  }
}

/// The way from a cluster's endpoints to one of them.
@Suite struct EndpointLevelsTests {
  /// Locality number, priority, share of the locality, weight.
  private struct Place {
    var locality: Int32 = 0
    var priority: Int32 = 0
    var share: UInt32 = 0
    var weight: UInt32 = 1
  }

  private func endpoints(_ places: [Place]) -> [UpstreamEndpoint] {
    places.enumerated().map { index, place in
      UpstreamEndpoint(
        address: SocketAddress(v4: 1, port: UInt16(index)), weight: place.weight, locality: place.locality,
        priority: place.priority, localityWeight: place.share)
    }
  }

  private func levels(
    _ all: [UpstreamEndpoint], policy: LoadBalancer.Policy = .random, hash: HashPolicy.Table? = nil, panic: Int = 0,
    zones: ZoneShares? = nil
  ) -> EndpointLevels {
    var levels = EndpointLevels(LoadBalancer(policy: policy, hash: hash), panicThreshold: panic, zones: zones)
    levels.replace(all.map { Ref($0) })
    return levels
  }

  /// Percent of 20000 picks by endpoint.
  private func percent(_ levels: EndpointLevels, _ count: Int, excluding excluded: UInt64 = 0) -> [Int] {
    var levels = levels
    var random = RandomSource(seed: (1, 2, 3, 4))
    var counts = [Int](repeating: 0, count: count)
    for _ in 0..<20_000 {
      guard let picked = levels.pick(random: &random, excluding: excluded) else { continue }
      counts[picked.with { Int($0.address.port) }] += 1
    }
    return counts.map { ($0 + 100) / 200 }
  }

  private func isNear(_ left: [Int], _ right: [Int]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { abs($0 - $1) <= 2 }
  }

  @Test func `a later priority serves as far as the first one fails`() {
    let all = endpoints([Place(), Place(), Place(priority: 1), Place(priority: 1)])
    #expect(isNear(percent(levels(all), 4), [50, 50, 0, 0]))
    all[0].isEjected = true
    #expect(isNear(percent(levels(all), 4), [0, 70, 15, 15]))
    all[1].isHealthy = false
    #expect(isNear(percent(levels(all), 4), [0, 0, 50, 50]))
    all[2].isHealthy = false
    all[3].isHealthy = false
    #expect(percent(levels(all), 4) == [0, 0, 0, 0])
    // With a threshold there is panic instead.
    #expect(isNear(percent(levels(all, panic: 1), 4), [50, 50, 0, 0]))
  }

  @Test func `localities get their shares, the sick ones less`() {
    let all = endpoints([
      Place(locality: 1, share: 80), Place(locality: 1, share: 80), Place(locality: 2, share: 20),
    ])
    #expect(isNear(percent(levels(all), 3), [40, 40, 20]))
    // 80 × 0.7 against 20.
    all[0].isEjected = true
    #expect(isNear(percent(levels(all), 3), [0, 74, 26]))
    all[1].isEjected = true
    #expect(percent(levels(all), 3) == [0, 0, 100])
  }

  @Test func `hashes follow the shares and stay with their endpoint`() {
    let all = endpoints([
      Place(locality: 1, share: 75), Place(locality: 2, share: 25), Place(locality: 3, priority: 1),
    ])
    let first = levels(all, hash: .ring(minimumSize: 4096))
    var counts = [0, 0, 0]
    for number in 0..<20_000 {
      let hash = XXHash64.hash(Array("\(number)".utf8))
      guard let picked = first.pick(hash: hash) else { continue }
      counts[picked.with { Int($0.address.port) }] += 1
      #expect(first.pick(hash: hash) == picked)
    }
    #expect(abs(counts[0] - 15_000) < 1500 && counts[2] == 0, "\(counts)")
  }

  @Test func `priorities that were tried are left out while another can take it`() {
    let all = endpoints([Place(), Place(priority: 1), Place(priority: 2)])
    #expect(percent(levels(all), 3, excluding: 0b001) == [0, 100, 0])
    #expect(percent(levels(all), 3, excluding: 0b011) == [0, 0, 100])
    #expect(percent(levels(all), 3, excluding: 0b111) == [100, 0, 0])
    all[1].isEjected = true
    #expect(percent(levels(all), 3, excluding: 0b001) == [0, 0, 100])
  }

  @Test func `one group is everything, as long as it is the only one`() {
    #expect(levels(endpoints([Place(), Place()])).only?.endpoints.count == 2)
    #expect(levels([]).only?.endpoints.isEmpty == true)
    #expect(levels(endpoints([Place(), Place(priority: 1)])).only == nil)
    #expect(levels(endpoints([Place(locality: 1, share: 1), Place(locality: 2, share: 1)])).only == nil)
  }

  /// Endpoints by zone; zone 0 is the instance's.
  @Test(
    arguments: [
      // As many as elsewhere, or more: all stays.
      ([2, 2, 2], 6, [100, 0, 0]), ([4, 1, 1], 6, [100, 0, 0]),
      // One sixth where a third is sent: half stays, the rest goes where there is more than a third.
      ([1, 4, 1], 6, [50, 50, 0]), ([1, 3, 2], 6, [50, 50, 0]), ([2, 4, 4], 6, [60, 20, 20]),
      // Too few, or nobody near: all alike.
      ([1, 4], 6, [20, 80]), ([0, 3, 3], 6, [0, 50, 50]), ([1, 4], 5, [40, 60]),
    ] as [([Int], Int, [Int])])
  func `the own zone comes first, as far as it can take it`(sizes: [Int], minimum: Int, expected: [Int]) {
    let places = sizes.enumerated().flatMap { zone, count in
      (0..<count).map { _ in Place(locality: Int32(zone)) }
    }
    let shares = percent(
      levels(endpoints(places), zones: ZoneShares(own: 0, minClusterSize: minimum)), places.count)
    var byZone = [Int](repeating: 0, count: sizes.count)
    for (place, share) in zip(places, shares) { byZone[Int(place.locality)] += share }
    #expect(isNear(byZone, expected), "\(byZone)")
  }

  @Test(arguments: [LoadBalancer.Policy.roundRobin, .leastRequest])
  func `a new endpoint gets its share bit by bit`(policy: LoadBalancer.Policy) {
    var warmup = WarmupPolicy(durationMilliseconds: 10_000)
    warmup.minimum = 0.1
    let all = endpoints([Place(), Place()])
    all[1].warmsSince = 0
    var levels = EndpointLevels(
      LoadBalancer(policy: policy, warmup: warmup), panicThreshold: 0, zones: nil)
    levels.replace(all.map { Ref($0) })
    for (now, expected) in [(Int64(1), 9), (500, 9), (5000, 33), (10_000, 50)] {
      let isWarming = levels.warm(now: now)
      #expect(isWarming == (now < 10_000))
      #expect(isNear([percent(levels, 2)[1]], [expected]), "\(now)")
    }
  }

  @Test func `aggression lets it grow faster at the beginning, and the minimum is where it starts`() {
    var warmup = WarmupPolicy(durationMilliseconds: 1000)
    #expect(warmup.factor(age: 1) == 0.1 && warmup.factor(age: 250) == 0.25 && warmup.factor(age: 1000) == 1)
    warmup.aggression = 2
    #expect(warmup.factor(age: 250) == 0.5)
    warmup.minimum = 0.6
    #expect(warmup.factor(age: 250) == 0.6)
  }
}
