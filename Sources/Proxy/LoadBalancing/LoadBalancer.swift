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

  init(policy: Policy, hash: HashPolicy.Table? = nil) {
    self.policy = hash == nil ? policy : .random
    hashing = hash
  }

  /// Balances over these from now on.
  mutating func replace(_ eligible: [Ref<UpstreamEndpoint>]) {
    endpoints = eligible
    weights = Weights(eligible.map { $0.with { $0.weight } })
    currentWeights = []
    table = hashing.map { table in
      HashTable(table, eligible.map { $0.with { .init(name: $0.addressText, weight: $0.weight) } })
    }
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
    let firstLoad = endpoints[first].with { (load: $0.activeRequests, weight: Int($0.weight)) }
    let secondLoad = endpoints[second].with { (load: $0.activeRequests, weight: Int($0.weight)) }
    return secondLoad.load * firstLoad.weight < firstLoad.load * secondLoad.weight ? second : first
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
