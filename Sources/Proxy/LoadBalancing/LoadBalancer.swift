import Routing
import Transport

/// Chooses among the eligible endpoints of a cluster. Istio's default is least request; every policy honours weights.
struct LoadBalancer {
  /// Istio's `loadBalancer.simple`.
  enum Policy: UInt8 {
    /// Two endpoints at random, the one with fewer requests in flight per weight wins (Envoy's power of two choices).
    case leastRequest
    case roundRobin
    case random

    init(_ policy: Cluster.LoadBalancing) {
      switch policy {
      case .leastRequest: self = .leastRequest
      case .roundRobin: self = .roundRobin
      case .random: self = .random
      }
    }
  }

  let policy: Policy
  private(set) var endpoints: [Ref<UpstreamEndpoint>] = []
  private var weights = Weights()
  private var cursor = 0
  private var currentWeights: [Int64] = []

  private let hashing: HashPolicy.Table?
  private var table: HashTable?
  private let warmup: WarmupPolicy?

  init(policy: Policy, hash: HashPolicy.Table? = nil, warmup: WarmupPolicy? = nil) {
    self.policy = hash == nil ? policy : .random
    hashing = hash
    self.warmup = self.policy == .random ? nil : warmup
  }

  var isHashing: Bool { hashing != nil }

  /// Balances over these from now on.
  ///
  /// - Parameter shares: in place of the endpoints' own weights.
  mutating func replace(_ eligible: [Ref<UpstreamEndpoint>], weights shares: [UInt32]? = nil) {
    endpoints = eligible
    let values = shares ?? eligible.map { $0.with { $0.weight } }
    weights = Weights(values)
    currentWeights = []
    table = hashing.map { table in
      HashTable(
        table,
        zip(eligible, values).map { endpoint, weight in endpoint.with { .init(name: $0.addressText, weight: weight) } })
    }
  }

  /// Takes over how far endpoints have warmed up. True while any of them has not.
  mutating func warm(now: Int64) -> Bool {
    guard let warmup, endpoints.count > 1 else { return false }
    var isWarming = false
    for index in endpoints.indices {
      let (weight, age) = endpoints[index].with { ($0.weight, $0.warmsSince.map { now - $0 }) }
      let factor = age.map { warmup.factor(age: $0) } ?? 1
      if factor < 1 { isWarming = true }
      weights.set(index, UInt32(clamping: Int64(max(1, Double(weight) * 1000 * factor))))
    }
    weights.settle()
    return isWarming
  }

  /// The endpoint for a hash; nil when there is none, or when the cluster does not hash.
  func pick(hash: UInt64) -> Ref<UpstreamEndpoint>? {
    table?.endpoint(for: hash).map { endpoints[$0] }
  }

  /// The next endpoint, nil when there is none.
  mutating func pick(random: inout RandomSource) -> Ref<UpstreamEndpoint>? {
    guard endpoints.count > 1 else { return endpoints.count == 1 ? endpoints[0] : nil }
    switch policy {
    case .leastRequest: return endpoints[leastRequest(&random)]
    case .roundRobin: return endpoints[weights.areEqual ? roundRobin(endpoints.count) : weightedRoundRobin()]
    case .random: return endpoints[weights.random(count: endpoints.count, &random)]
    }
  }

  private func leastRequest(_ random: inout RandomSource) -> Int {
    let first = weights.random(count: endpoints.count, &random)
    var second = weights.random(count: endpoints.count, &random)
    if first == second { second = (second + 1) % endpoints.count }
    let firstLoad = endpoints[first].with { $0.activeRequests }
    let secondLoad = endpoints[second].with { $0.activeRequests }
    return secondLoad * Int(weights.values[first]) < firstLoad * Int(weights.values[second]) ? second : first
  }

  private mutating func roundRobin(_ count: Int) -> Int {
    cursor = cursor + 1 < count ? cursor + 1 : 0
    return cursor
  }

  /// Smooth weighted round robin, as in nginx: no bursts to the heaviest endpoint.
  private mutating func weightedRoundRobin() -> Int {
    if currentWeights.count != weights.values.count {
      currentWeights = Array(repeating: 0, count: weights.values.count)
    }
    var best = 0
    for index in currentWeights.indices {
      currentWeights[index] += Int64(weights.values[index])
      if currentWeights[index] > currentWeights[best] { best = index }
    }
    currentWeights[best] -= Int64(weights.total)
    return best
  }

  /// The weights of the eligible endpoints, prepared once when they change.
  struct Weights {
    private(set) var values: [UInt32] = []
    private(set) var total: UInt64 = 0
    private(set) var areEqual = true

    init() {}

    init(_ values: [UInt32]) {
      self.values = values
      settle()
    }

    /// Changes one of them; `settle` follows.
    mutating func set(_ index: Int, _ value: UInt32) { values[index] = value }

    mutating func settle() {
      total = values.reduce(0) { $0 + UInt64($1) }
      areEqual = values.allSatisfy { $0 == values.first }
    }

    /// An index, with a chance in proportion to its weight.
    func random(count: Int, _ source: inout RandomSource) -> Int {
      if areEqual { return source.below(count) }
      var ticket = source.next() % max(1, total)
      for index in values.indices {
        if ticket < UInt64(values[index]) { return index }
        ticket -= UInt64(values[index])
      }
      return count - 1
    }
  }
}
