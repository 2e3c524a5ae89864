import Routing
import Transport

/// Turns probe results into verdicts, on the control side: per endpoint with thresholds, per host with the share of
/// healthy endpoints that its probe asks for.
final class HealthMonitor {
  private let log: @Sendable (WorkerServices.LogLevel, String, String) -> Void
  private(set) var generation = 0
  private var probes: [Probe] = []
  private var clusterNames: [String] = []
  private var verdicts: [[SocketAddress: EndpointHealth]] = []
  private var problems: [String?] = []
  /// By cluster; kept while a cluster of the name is probed.
  private(set) var counters: [String: HealthCheckCounters] = [:]

  init(log: @escaping @Sendable (WorkerServices.LogLevel, String, String) -> Void) {
    self.log = log
  }

  /// Takes over the probes of a snapshot. A probe that did not change keeps its verdicts: a reload does not make an
  /// instance unready.
  func adopt(_ snapshot: Snapshot) {
    let old = zip(probes, verdicts).map { ($0.0, $0.1) }
    generation += 1
    probes = snapshot.probes
    clusterNames = snapshot.probes.map { snapshot.clusters[Int($0.cluster)].name }
    problems = Array(repeating: nil, count: probes.count)
    counters = counters.filter { clusterNames.contains($0.key) }
    verdicts = snapshot.probes.map { probe in old.first { $0.0 == probe }?.1 ?? [:] }
  }

  /// Takes one report; returns the change when an endpoint's verdict changed.
  func take(_ report: ProbeReport) -> HealthChange? {
    guard report.generation == generation, probes.indices.contains(report.probe) else { return nil }
    switch report.outcome {
    case .aimed(let addresses, let problem):
      verdicts[report.probe] = verdicts[report.probe].filter { addresses.contains($0.key) }
      for address in addresses where verdicts[report.probe][address] == nil {
        verdicts[report.probe][address] = freshHealth(report.probe)
      }
      problems[report.probe] = problem
      return nil
    case .result(let address, let failure):
      count(clusterNames[report.probe], failure)
      var health = verdicts[report.probe][address] ?? freshHealth(report.probe)
      let changed = health.record(failure: failure)
      verdicts[report.probe][address] = health
      return changed ? change(health, address, failure, report.probe) : nil
    }
  }

  private func count(_ cluster: String, _ failure: String?) {
    counters[cluster, default: .init()].attempts += 1
    if failure == nil {
      counters[cluster, default: .init()].successes += 1
    } else {
      counters[cluster, default: .init()].failures += 1
    }
  }

  /// Counts anew.
  func resetCounters() { counters = [:] }

  private func freshHealth(_ probe: Int) -> EndpointHealth {
    EndpointHealth(
      successThreshold: probes[probe].successThreshold, failureThreshold: probes[probe].failureThreshold)
  }

  private func change(
    _ health: EndpointHealth, _ address: SocketAddress, _ failure: String?, _ probe: Int
  ) -> HealthChange {
    let cluster = clusterNames[probe]
    let isHealthy = health.verdict == .healthy
    if isHealthy {
      log(.info, "health", "\(cluster): endpoint \(address) is healthy")
    } else {
      log(.warning, "health", "\(cluster): endpoint \(address) is unhealthy: \(failure ?? "")")
    }
    return HealthChange(
      cluster: cluster, address: address, isHealthy: isHealthy, gatesLoadBalancing: probes[probe].gatesLoadBalancing)
  }

  /// The endpoints that are unhealthy, of probes that balancing follows.
  var unhealthy: Set<HealthChange> {
    var found: Set<HealthChange> = []
    for index in probes.indices where probes[index].gatesLoadBalancing {
      for (address, health) in verdicts[index] {
        guard case .unhealthy = health.verdict else { continue }
        found.insert(
          HealthChange(cluster: clusterNames[index], address: address, isHealthy: false, gatesLoadBalancing: true))
      }
    }
    return found
  }

  /// What every probe says now.
  var states: [ProbeState] {
    probes.indices.map { state(of: $0) }
  }

  private func state(of index: Int) -> ProbeState {
    let probe = probes[index]
    let all = verdicts[index].values
    let healthy = all.count { $0.verdict == .healthy }
    let decided = all.count { $0.verdict != .unknown }
    let needed = max(1, (all.count * probe.minHealthyPercent + 99) / 100)
    let isHealthy = healthy >= needed
    return ProbeState(
      name: probe.name, cluster: clusterNames[index], target: probe.target, gatesReadiness: probe.gatesReadiness,
      isHealthy: isHealthy, isPending: decided == 0, healthyEndpoints: healthy, totalEndpoints: all.count,
      reason: isHealthy ? nil : reason(index, healthy: healthy, needed: needed))
  }

  private func reason(_ index: Int, healthy: Int, needed: Int) -> String {
    let failures = verdicts[index].sorted { $0.key.description < $1.key.description }.compactMap { address, health in
      health.lastFailure.map { "\(address): \($0)" }
    }
    if let problem = problems[index] { return problem }
    guard !failures.isEmpty else { return "no probe of \(probes[index].target) has succeeded yet" }
    return "\(healthy) of \(verdicts[index].count) endpoints healthy, \(needed) needed: "
      + failures.joined(separator: "; ")
  }
}
