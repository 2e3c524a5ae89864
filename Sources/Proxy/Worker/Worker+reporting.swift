import Routing
import Transport

/// The figures of one worker at one moment.
package struct WorkerReport: Sendable {
  package let worker: Int
  package let counters: WorkerCounters
  package let clusters: [ClusterReport]
  package let handlerCount: Int
  package let lentBufferBytes: Int
  package let requests: [RequestCounters.Key: RequestCounters.Value]
  /// The hosts that the keys of `requests` number.
  package let requestHosts: [String]
  package let routes: [(name: RouteStatisticsName, counters: RouteCounters)]
}

/// One cluster in a report.
package struct ClusterReport: Sendable {
  package let name: String
  package let counters: ClusterCounters
  package let endpoints: [EndpointReport]
  /// Which limits the cluster has reached, on all workers together.
  package let breakers: CircuitBreakerState
}

/// One endpoint in a report.
package struct EndpointReport: Sendable {
  package let address: SocketAddress
  package let weight: UInt32
  package let priority: Int
  /// `region/zone/subzone`, empty when it is not known.
  package let locality: String
  package let isHealthy: Bool
  /// Left out by outlier detection.
  package let isEjected: Bool
  package let activeRequests: Int
  package let connections: Int
  package let counters: EndpointCounters

  package init(
    address: SocketAddress, weight: UInt32, priority: Int, locality: String, isHealthy: Bool, isEjected: Bool = false,
    activeRequests: Int,
    connections: Int, counters: EndpointCounters
  ) {
    self.address = address
    self.weight = weight
    self.priority = priority
    self.locality = locality
    self.isHealthy = isHealthy
    self.isEjected = isEjected
    self.activeRequests = activeRequests
    self.connections = connections
    self.counters = counters
  }
}

extension Worker {
  /// Takes the figures.
  func report() -> WorkerReport {
    var counters = counters
    counters.activeHandshakes = handshakes.count
    counters.droppedLogLines = accessLog.droppedLines
    return WorkerReport(
      worker: index, counters: counters, clusters: generation.clusters.map(report), handlerCount: loop.handlerCount,
      lentBufferBytes: loop.buffers.lentBytes, requests: requestCounters.values, requestHosts: requestHosts.names,
      routes: Array(zip(routeStatistics.names, routeStatistics.counters)))
  }

  private func report(_ cluster: UpstreamCluster) -> ClusterReport {
    let endpoints = cluster.endpoints.map { endpoint in
      EndpointReport(
        address: endpoint.address, weight: endpoint.weight, priority: Int(endpoint.priority),
        locality: cluster.locality(of: endpoint), isHealthy: endpoint.isHealthy,
        isEjected: endpoint.isEjected, activeRequests: endpoint.activeRequests, connections: endpoint.connectionCount,
        counters: endpoint.counters)
    }
    return ClusterReport(
      name: cluster.config.name, counters: cluster.counters, endpoints: endpoints,
      breakers: cluster.shared?.breaker?.open ?? CircuitBreakerState())
  }

  /// Sets counters to zero; what is counted as active stays.
  func resetCounters() {
    var fresh = WorkerCounters()
    fresh.activeConnections = counters.activeConnections
    fresh.activeRequests = counters.activeRequests
    counters = fresh
    requestCounters = RequestCounters()
    routeStatistics.reset()
    for cluster in generation.clusters {
      var fresh = ClusterCounters()
      fresh.activeConnections = cluster.counters.activeConnections
      fresh.activeRequests = cluster.counters.activeRequests
      cluster.counters = fresh
    }
  }

  /// Takes over what the name service said of a cluster.
  func update(cluster name: String, _ update: EndpointDirectory.Update) {
    for cluster in generation.clusters where cluster.config.name == name {
      switch update {
      case .endpoints(let endpoints, let lifetime): cluster.resolved(endpoints, lifetimeMilliseconds: lifetime)
      case .failed(let reason, let retry, _): cluster.resolutionFailed(reason, retryMilliseconds: retry)
      }
    }
  }

  /// Takes over a verdict of the active probes.
  func setHealth(_ change: HealthChange) {
    for cluster in generation.clusters where cluster.config.name == change.cluster {
      cluster.setHealth(of: change.address, isHealthy: change.isHealthy)
    }
  }

  /// Leaves an endpoint out, or takes it back.
  func setEjected(_ change: OutlierMonitor.Change) {
    for cluster in generation.clusters where cluster.config.name == change.cluster {
      cluster.setEjected(change.address, change.isEjected)
    }
  }

  /// A stream has ended: counts it and writes its line.
  func streamFinished(_ stream: Stream) {
    counters.activeRequests -= 1
    counters.responses[min(5, max(0, stream.response.status / 100))] += 1
    requestCounters.count(stream)
    if stream.route.features.contains(.statistics), stream.destinationIndex >= 0, let generation = stream.generation {
      routeStatistics.count(stream, generation.with { $0.statisticsNumber(stream.routeIndex) })
    }
    guard logFormat != .off else { return }
    // Envoy gives every request its id and its client before it is routed: who asks for what does not exist is to be found.
    if !stream.isPrepared {
      prepare(&stream.request, from: stream.source, timeoutMilliseconds: 0, keepsClientCertificate: true)
    }
    let milliseconds = clock.now(stream.startNanoseconds) / 1_000_000
    let json = logFormat == .json
    accessLog.append(atMost: AccessLogFormatter.bound(stream, json: json)) { output in
      json
        ? AccessLogFormatter.writeJSON(stream, epochMilliseconds: milliseconds, into: &output)
        : AccessLogFormatter.writeText(stream, epochMilliseconds: milliseconds, into: &output)
    }
  }

  /// Runs these probes instead of those of the last snapshot.
  func probe(_ probes: [Probe], generation number: Int, report: @escaping @Sendable (ProbeReport) -> Void) {
    for prober in probers { prober.stop() }
    probers = probes.enumerated().map { index, probe in
      Prober(
        index: index, generation: number, probe: probe, cluster: generation.clusters[Int(probe.cluster)],
        report: report)
    }
  }
}
