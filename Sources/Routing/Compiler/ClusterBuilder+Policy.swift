import Resources

/// The parts of a DestinationRule's policy that limit, eject and hash.
extension ClusterBuilder {
  static func fill(_ settings: inout Cluster.Settings, from policy: TrafficPolicyResolver.Effective) {
    if let pool = policy.connectionPool {
      settings.circuitBreakers = circuitBreakers(pool)
      settings.maxConnectionDurationMilliseconds = Int32(clamping: pool.maxConnectionDuration?.value ?? 0)
      settings.tcpKeepAlive = pool.tcpKeepalive.map(keepAlive)
    }
    if let budget = policy.retryBudget { settings.circuitBreakers.retryBudget = retryBudget(budget) }
    if let detection = policy.outlierDetection {
      settings.outlierDetection = outlierPolicy(detection)
      settings.minHealthPercent = detection.minHealthPercent?.value ?? 0
    }
    settings.hashPolicy = policy.loadBalancer?.consistentHash.flatMap(hashPolicy)
    settings.warmup = policy.loadBalancer.flatMap(warmup)
  }

  private static func warmup(_ balancer: LoadBalancerSettings) -> WarmupPolicy? {
    guard let duration = balancer.warmup?.duration ?? balancer.warmupDurationSecs else { return nil }
    var policy = WarmupPolicy(durationMilliseconds: Int64(max(1, duration.value)))
    if let percent = balancer.warmup?.minimumPercent { policy.minimum = percent.value / 100 }
    if let aggression = balancer.warmup?.aggression { policy.aggression = aggression.value }
    return policy
  }

  /// The kernel counts in whole seconds.
  private static func keepAlive(_ setting: ConnectionPoolSettings.KeepAlive) -> KeepAlivePolicy {
    func seconds(_ value: Located<Int>?) -> Int32 { value.map { Int32(clamping: max(1, $0.value / 1000)) } ?? 0 }
    var policy = KeepAlivePolicy()
    policy.timeSeconds = seconds(setting.time)
    policy.intervalSeconds = seconds(setting.interval)
    policy.probes = Int32(clamping: setting.probes?.value ?? 0)
    return policy
  }

  private static func circuitBreakers(_ pool: ConnectionPoolSettings) -> CircuitBreakers {
    // Istio: 0 means that nothing was said.
    func limit(_ value: Located<Int>?) -> Int { value.map { $0.value > 0 ? $0.value : Int.max } ?? Int.max }
    var breakers = CircuitBreakers()
    breakers.maxConnections = limit(pool.maxConnections)
    breakers.maxPendingRequests = limit(pool.http1MaxPendingRequests)
    breakers.maxRequests = limit(pool.http2MaxRequests)
    breakers.maxRetries = limit(pool.maxRetries)
    return breakers
  }

  private static func retryBudget(_ budget: RetryBudget) -> CircuitBreakers.RetryBudget {
    var result = CircuitBreakers.RetryBudget()
    if let percent = budget.percent { result.percent = percent.value }
    if let least = budget.minRetryConcurrency { result.minRetryConcurrency = least.value }
    if let interval = budget.budgetInterval { result.intervalMilliseconds = Int64(interval.value) }
    return result
  }

  private static func outlierPolicy(_ detection: OutlierDetection) -> OutlierPolicy {
    var policy = OutlierPolicy()
    if let count = detection.consecutive5xxErrors { policy.consecutive5xxErrors = count.value }
    policy.consecutiveGatewayErrors = detection.consecutiveGatewayErrors?.value ?? 0
    if let count = detection.consecutiveLocalOriginFailures { policy.consecutiveLocalOriginFailures = count.value }
    policy.splitsLocalOriginErrors = detection.splitExternalLocalOriginErrors?.value ?? false
    if let interval = detection.interval { policy.intervalMilliseconds = Int64(max(1, interval.value)) }
    if let base = detection.baseEjectionTime { policy.baseEjectionMilliseconds = Int64(base.value) }
    if let percent = detection.maxEjectionPercent, percent.value > 0 { policy.maxEjectionPercent = percent.value }
    policy.errorStatuses = detection.httpErrorCodes.map(\.value)
    return policy
  }

  private static func hashPolicy(_ hash: ConsistentHash) -> HashPolicy? {
    let key: HashPolicy.Key
    if let header = hash.httpHeaderName?.value, !header.isEmpty {
      key = .header(Array(header.lowercased().utf8))
    } else if let cookie = hash.httpCookie, let name = cookie.name?.value {
      key = .cookie(.init(name: Array(name.utf8), suffix: suffix(cookie)))
    } else if let parameter = hash.httpQueryParameterName?.value, !parameter.isEmpty {
      key = .queryParameter(Array(parameter.utf8))
    } else if hash.useSourceIp?.value ?? false {
      key = .sourceIP
    } else {
      return nil
    }
    if hash.isMaglev { return HashPolicy(key: key, table: .maglev(size: hash.maglevTableSize?.value ?? 65_537)) }
    return HashPolicy(key: key, table: .ring(minimumSize: min(hash.minimumRingSize?.value ?? 1024, 8_388_608)))
  }

  /// Envoy's `set-cookie` behind name and value.
  private static func suffix(_ cookie: ConsistentHash.Cookie) -> [UInt8]? {
    guard let ttl = cookie.ttl?.value else { return nil }
    var text = ""
    if ttl > 0 { text += "; Max-Age=\(ttl / 1000)" }
    if let path = cookie.path?.value, !path.isEmpty { text += "; Path=\(path)" }
    for attribute in cookie.attributes {
      guard let name = attribute.name?.value else { continue }
      let value = attribute.value?.value ?? ""
      text += value.isEmpty ? "; \(name)" : "; \(name)=\(value)"
    }
    return Array((text + "; HttpOnly").utf8)
  }
}
