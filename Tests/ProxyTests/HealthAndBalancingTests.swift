import Testing
import Transport

@testable import Proxy

@Suite struct EndpointHealthTests {
  @Test func `one lost probe changes nothing`() {
    var health = EndpointHealth(successThreshold: 1, failureThreshold: 3)
    do { let changed = health.record(failure: nil); #expect(changed) }
    #expect(health.verdict == .healthy)
    do { let changed = health.record(failure: "lost"); #expect(!changed) }
    do { let changed = health.record(failure: nil); #expect(!changed) }
    do { let changed = health.record(failure: "lost"); #expect(!changed) }
    do { let changed = health.record(failure: "lost"); #expect(!changed) }
    #expect(health.verdict == .healthy)
  }

  @Test func `the threshold of failures in a row makes it unhealthy, with the reason`() {
    var health = EndpointHealth(successThreshold: 2, failureThreshold: 3)
    _ = health.record(failure: nil)
    do { let changed = health.record(failure: "a"); #expect(!changed) }
    do { let changed = health.record(failure: "b"); #expect(!changed) }
    do { let changed = health.record(failure: "c"); #expect(changed) }
    #expect(health.verdict == .unhealthy("c"))
    do { let changed = health.record(failure: nil); #expect(!changed) }
    do { let changed = health.record(failure: nil); #expect(changed) }
    #expect(health.verdict == .healthy)
  }

  @Test func `is unknown until a probe has come to a verdict`() {
    var health = EndpointHealth(successThreshold: 1, failureThreshold: 2)
    #expect(health.verdict == .unknown)
    _ = health.record(failure: "x")
    #expect(health.verdict == .unknown)
    do { let changed = health.record(failure: "y"); #expect(changed) }
  }
}

@Suite struct LoadBalancerTests {
  private func endpoints(_ weights: [UInt32]) -> [UpstreamEndpoint] {
    weights.enumerated().map { UpstreamEndpoint(address: SocketAddress(v4: 1, port: UInt16($0)), weight: $1) }
  }

  private func counts(_ policy: LoadBalancer.Policy, _ all: [UpstreamEndpoint], picks: Int) -> [Int] {
    var balancer = LoadBalancer(policy: policy)
    balancer.replace(all.map { Ref($0) })
    var random = RandomSource(seed: (1, 2, 3, 4))
    var counts = [Int](repeating: 0, count: all.count)
    for _ in 0..<picks {
      guard let picked = balancer.pick(random: &random) else { continue }
      counts[picked.with { Int($0.address.port) }] += 1
    }
    return counts
  }

  @Test func `round robin visits all alike, and weighted in proportion without bursts`() {
    #expect(counts(.roundRobin, endpoints([1, 1, 1]), picks: 9) == [3, 3, 3])
    #expect(counts(.roundRobin, endpoints([5, 1, 1]), picks: 14) == [10, 2, 2])
  }

  @Test func `random follows weights`() {
    let result = counts(.random, endpoints([3, 1]), picks: 4000)
    #expect(result[0] > 2800 && result[0] < 3200)
  }

  @Test func `least request prefers the idle one`() {
    let all = endpoints([1, 1])
    all[0].activeRequests = 10
    #expect(counts(.leastRequest, all, picks: 100) == [0, 100])
  }

  @Test func `nothing to pick from`() {
    var balancer = LoadBalancer(policy: .leastRequest)
    var random = RandomSource(seed: (1, 2, 3, 4))
    let picked = balancer.pick(random: &random)
    #expect(picked == nil)
  }
}

@Suite struct RandomSourceTests {
  @Test func `writes version 4 UUIDs, each another`() {
    var random = RandomSource()
    var seen: Set<String> = []
    for _ in 0..<100 {
      var bytes = [UInt8](repeating: 0, count: 64)
      var span = bytes.mutableSpan
      var raw = unsafe span.mutableBytes
      let count = random.writeUUID(into: &raw)
      #expect(count == 36)
      let text = String(decoding: bytes.prefix(36), as: UTF8.self)
      let parts = text.split(separator: "-")
      #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
      #expect(parts[2].first == "4" && "89ab".contains(parts[3].first ?? "x"))
      #expect(text.allSatisfy { $0 == "-" || ($0.isHexDigit && !$0.isUppercase) })
      #expect(seen.insert(text).inserted)
    }
  }
}
