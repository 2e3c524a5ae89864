import Proxy
import Routing
import Transport

/// The figures of all workers, summed, with what is needed to name them.
struct Statistics {
  /// One counter or gauge with Envoy's name.
  struct Entry {
    let name: String
    let value: Int
  }

  /// What Istio's labels tell apart. Subsets of a host, its ports, and TLS or not are summed: a series may occur only
  /// once in a scrape.
  struct RequestOutcome: Hashable {
    /// The host of the cluster; nil for answers without a cluster.
    let host: String?
    let status: Int16
    let flags: ResponseFlags
  }

  let snapshot: Snapshot
  let probes: [ProbeState]
  let isReady: Bool
  let isDraining: Bool
  let uptimeSeconds: Int64
  let workers: Int
  let generation: Int
  let reloads: (succeeded: Int, failed: Int)
  /// Resources whose newest version is not in force: those whose last good version serves, and those left out.
  let rejected: (kept: Int, leftOut: Int)
  let daysUntilExpiry: Int?
  private(set) var downstream = WorkerCounters()
  private(set) var clusters: [String: ClusterFigures] = [:]
  private(set) var requests: [RequestOutcome: RequestCounters.Value] = [:]
  private(set) var routes: [RouteStatisticsName: RouteCounters] = [:]
  private(set) var lentBufferBytes = 0
  /// By worker.
  private(set) var workerConnections: [Int] = []

  init(reports: [WorkerReport], instance: Instance) {
    snapshot = instance.loaded.snapshot
    probes = instance.plane?.probeStates ?? []
    isReady = instance.readiness.isReady
    isDraining = instance.isDraining
    uptimeSeconds = instance.uptimeSeconds
    workers = instance.options.plane.workers
    generation = instance.loaded.snapshot.generation
    reloads = instance.reloads
    let kept = instance.loaded.rejected.count(where: \.isKept)
    rejected = (kept, instance.loaded.rejected.count - kept)
    daysUntilExpiry = CertificateList.of(instance.loaded.snapshot).map(\.daysLeft).min()
    for report in reports { add(report) }
    for (name, counters) in instance.plane?.outlierCounters ?? [:] { clusters[name]?.outliers = counters }
    for (name, counters) in instance.plane?.healthCheckCounters ?? [:] { clusters[name]?.healthChecks = counters }
    workerConnections = reports.sorted { $0.worker < $1.worker }.map(\.counters.activeConnections)
    downstream.droppedLogLines += instance.lostLogLines
  }

  private mutating func add(_ report: WorkerReport) {
    downstream += report.counters
    lentBufferBytes += report.lentBufferBytes
    for cluster in report.clusters {
      var sum = clusters[cluster.name] ?? ClusterFigures()
      sum.counters += cluster.counters
      sum.breakers = cluster.breakers
      for endpoint in cluster.endpoints { Self.add(endpoint, to: &sum.endpoints) }
      clusters[cluster.name] = sum
    }
    for (name, counters) in report.routes { routes[name, default: RouteCounters()] += counters }
    for (key, value) in report.requests {
      let host = report.requestHosts.indices.contains(Int(key.host)) ? report.requestHosts[Int(key.host)] : nil
      requests[RequestOutcome(host: host, status: key.status, flags: key.flags), default: .init()] += value
    }
  }

  private static func add(_ endpoint: EndpointReport, to all: inout [EndpointReport]) {
    guard let index = all.firstIndex(where: { $0.address == endpoint.address }) else { return all.append(endpoint) }
    all[index] = all[index].adding(endpoint)
  }

  // MARK: Names

  /// All counters with Envoy's names, in their order.
  var values: [Entry] {
    var values: [Entry] = []
    let add = { (name: String, value: Int) in values.append(Entry(name: name, value: value)) }
    for (name, cluster) in clusters.sorted(by: { $0.key < $1.key }) {
      for metric in ClusterMetric.all { add("cluster.\(name).\(metric.name)", metric.value(cluster)) }
      for digit in 1...5 { add("cluster.\(name).upstream_rq_\(digit)xx", cluster.counters.responses[digit]) }
    }
    add("config.generation", generation)
    add("config.rejected_kept", rejected.kept)
    add("config.rejected_left_out", rejected.leftOut)
    add("config.reload_failure", reloads.failed)
    add("config.reload_success", reloads.succeeded)
    addDownstream(add)
    for (worker, connections) in workerConnections.enumerated() {
      add("listener.worker_\(worker).downstream_cx_active", connections)
    }
    add("server.concurrency", workers)
    if let daysUntilExpiry { add("server.days_until_first_cert_expiring", daysUntilExpiry) }
    add("server.live", 1)
    add("server.state", isDraining ? 1 : 0)
    add("server.ready", isReady ? 1 : 0)
    add("server.uptime", Int(uptimeSeconds))
    addRoutes(add)
    return values
  }

  /// What is counted by `statPrefix`, in the order of names.
  var sortedRoutes: [(name: RouteStatisticsName, counters: RouteCounters)] {
    routes.sorted { ($0.key.virtualHost, $0.key.prefix) < ($1.key.virtualHost, $1.key.prefix) }
      .map { ($0.key, $0.value) }
  }

  private func addRoutes(_ add: (String, Int) -> Void) {
    for (name, counters) in sortedRoutes {
      let prefix = "vhost.\(name.virtualHost).route.\(name.prefix)."
      for digit in 1...5 { add(prefix + "upstream_rq_\(digit)xx", counters.responses[digit]) }
      for metric in RouteMetric.all { add(prefix + "upstream_rq_" + metric.name, metric.value(counters)) }
    }
  }

  /// The histograms of `statPrefix`, in the order of names.
  var histograms: [HistogramText] {
    sortedRoutes.map { name, counters in
      HistogramText(
        name: "vhost.\(name.virtualHost).route.\(name.prefix).upstream_rq_time",
        counts: counters.durations.indices.map { counters.durations[$0] }, bounds: RequestCounters.bounds)
    }
  }

  private func addDownstream(_ add: (String, Int) -> Void) {
    add("http.downstream_cx_active", downstream.activeConnections)
    add("http.downstream_cx_overflow", downstream.connectionOverflows)
    add("http.downstream_cx_http2_total", downstream.http2Connections)
    add("http2.protocol_error", downstream.http2ProtocolErrors)
    add("http.downstream_cx_rx_bytes_total", downstream.bytesReceived)
    add("http.downstream_cx_total", downstream.connections)
    add("http.downstream_cx_tx_bytes_total", downstream.bytesSent)
    for digit in 1...5 { add("http.downstream_rq_\(digit)xx", downstream.responses[digit]) }
    add("http.downstream_rq_active", downstream.activeRequests)
    add("http.downstream_rq_refused", downstream.refusedRequests)
    add("http.downstream_rq_regex_limit", downstream.regexLimitsExceeded)
    add("http.downstream_rq_total", downstream.requests)
    add("listener.accept_exhausted", downstream.acceptsExhausted)
    add("listener.downstream_cx_overload_reject", downstream.descriptorOverflows)
    add("listener.handshake_active", downstream.activeHandshakes)
    add("listener.handshake_overflow", downstream.handshakeOverflows)
    add("listener.ssl.connection_error", downstream.handshakeFailures)
    add("listener.ssl.handshake", downstream.handshakes)
    add("access_log_dropped", downstream.droppedLogLines)
  }

  // MARK: Clusters

  /// Envoy's `/clusters`.
  var clustersText: String {
    var text = ""
    for cluster in snapshot.clusters {
      let name = cluster.name
      text += "\(name)::observability_name::\(name)\n"
      let limits = cluster.settings.circuitBreakers
      for (what, limit) in [
        ("connections", limits.maxConnections), ("pending_requests", limits.maxPendingRequests),
        ("requests", limits.maxRequests), ("retries", limits.maxRetries),
      ] { text += "\(name)::default_priority::max_\(what)::\(min(limit, Int(UInt32.max)))\n" }
      for endpoint in clusters[name]?.endpoints ?? [] {
        let prefix = "\(name)::\(endpoint.address)::"
        text += prefix + "cx_active::\(endpoint.connections)\n"
        text += prefix + "cx_connect_fail::\(endpoint.counters.connectFailures)\n"
        text += prefix + "cx_total::\(endpoint.counters.connections)\n"
        text += prefix + "rq_active::\(endpoint.activeRequests)\n"
        text += prefix + "rq_error::\(endpoint.counters.errors)\n"
        text += prefix + "rq_success::\(endpoint.counters.successes)\n"
        text += prefix + "rq_timeout::\(endpoint.counters.timeouts)\n"
        text += prefix + "rq_total::\(endpoint.counters.requests)\n"
        text += prefix + "hostname::\(cluster.host)\n"
        text += prefix + "health_flags::\(endpoint.healthFlags)\n"
        text += prefix + "weight::\(endpoint.weight)\n"
        let locality = Locality(endpoint.locality)
        text += prefix + "region::\(locality.region)\n"
        text += prefix + "zone::\(locality.zone)\n"
        text += prefix + "sub_zone::\(locality.subzone)\n"
        text += prefix + "canary::false\n"
        text += prefix + "priority::\(endpoint.priority)\n"
      }
    }
    return text
  }

  /// Envoy's `/clusters?format=json`.
  var clustersJSON: JSON {
    .object([
      (
        "cluster_statuses",
        .array(
          snapshot.clusters.map { cluster in
            .object([
              ("name", .string(cluster.name)), ("observability_name", .string(cluster.name)),
              ("host_statuses", .array((clusters[cluster.name]?.endpoints ?? []).map { hostStatus($0, cluster) })),
            ])
          })
      )
    ])
  }

  private func hostStatus(_ endpoint: EndpointReport, _ cluster: Cluster) -> JSON {
    let counter = { (name: String, value: Int) in
      JSON.object([("name", .string(name)), ("value", .string("\(value)"))])
    }
    return .object([
      (
        "address",
        Pipe.address(
          (endpoint.address.family == .unix ? Pipe.prefix : "") + endpoint.address.host, Int(endpoint.address.port))
      ),
      (
        "stats",
        .array([
          counter("cx_connect_fail", endpoint.counters.connectFailures),
          counter("cx_total", endpoint.counters.connections), counter("rq_error", endpoint.counters.errors),
          counter("rq_success", endpoint.counters.successes), counter("rq_timeout", endpoint.counters.timeouts),
          counter("rq_total", endpoint.counters.requests), counter("cx_active", endpoint.connections),
          counter("rq_active", endpoint.activeRequests),
        ])
      ),
      ("health_status", healthStatus(endpoint)), ("weight", .number(Int(endpoint.weight))),
      ("priority", .number(endpoint.priority)), ("locality", Locality(endpoint.locality).json),
      ("hostname", .string(cluster.host)),
    ])
  }

  /// As Envoy: flags that are set, and what discovery would say.
  private func healthStatus(_ endpoint: EndpointReport) -> JSON {
    var fields: [(String, JSON)] = []
    if !endpoint.isHealthy { fields.append(("failed_active_health_check", .bool(true))) }
    if endpoint.isEjected { fields.append(("failed_outlier_check", .bool(true))) }
    fields.append(("eds_health_status", .string(endpoint.isHealthy ? "HEALTHY" : "UNHEALTHY")))
    return .object(fields)
  }
}

extension EndpointReport {
  /// The same endpoint on two workers.
  func adding(_ other: EndpointReport) -> EndpointReport {
    var counters = counters
    counters += other.counters
    return EndpointReport(
      address: address, weight: weight, priority: priority, locality: locality,
      isHealthy: isHealthy && other.isHealthy,
      isEjected: isEjected || other.isEjected,
      activeRequests: activeRequests + other.activeRequests, connections: connections + other.connections,
      counters: counters)
  }
}

extension EndpointReport {
  /// Envoy's `health_flags`.
  var healthFlags: String {
    let flags = (isHealthy ? "" : "/failed_active_hc") + (isEjected ? "/failed_outlier_check" : "")
    return flags.isEmpty ? "healthy" : flags
  }
}
