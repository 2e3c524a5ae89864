import Proxy
import Routing

/// Figures in Prometheus' text format, with the names that dashboards for Istio and Envoy ask for.
enum PrometheusText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// - Parameters:
  ///   - filter: which families to write, by their names; nil for all.
  ///   - usedOnly: leaves out samples that are zero.
  static func write(_ statistics: Statistics, filter: StatisticsFilter? = nil, usedOnly: Bool = false) -> String {
    var families = Families(filter: filter, usedOnly: usedOnly)
    writeClusters(statistics, &families)
    writeDownstream(statistics, &families)
    writeServer(statistics, &families)
    writeIstio(statistics, &families)
    writeTCP(statistics, &families)
    return families.text
  }

  /// Samples gathered by family, so that each family has one TYPE line.
  private struct Families {
    private let filter: StatisticsFilter?
    private let usedOnly: Bool
    private var order: [String] = []
    private var types: [String: String] = [:]
    private var samples: [String: [String]] = [:]

    init(filter: StatisticsFilter?, usedOnly: Bool) {
      self.filter = filter
      self.usedOnly = usedOnly
    }

    mutating func add(_ name: String, _ type: String, _ labels: [(String, String)], _ value: Int, suffix: String = "") {
      guard value != 0 || !usedOnly, filter?.matches(name) ?? true else { return }
      if types[name] == nil {
        order.append(name)
        types[name] = type
      }
      let text = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
      samples[name, default: []].append("\(name)\(suffix)\(text.isEmpty ? "" : "{\(text)}") \(value)")
    }

    private static func escaped(_ text: String) -> String {
      text.reduce(into: "") { result, character in
        switch character {
        case "\\": result += "\\\\"
        case "\"": result += "\\\""
        case "\n": result += "\\n"
        default: result.append(character)
        }
      }
    }

    var text: String {
      order.map { name in
        "# TYPE \(name) \(types[name] ?? "untyped")\n" + (samples[name] ?? []).map { $0 + "\n" }.joined()
      }.joined()
    }
  }

  private static func writeClusters(_ statistics: Statistics, _ families: inout Families) {
    for (name, cluster) in statistics.clusters.sorted(by: { $0.key < $1.key }) {
      let label = [("cluster_name", name)]
      let counters = cluster.counters
      let prefix = "envoy_cluster_"
      families.add(
        prefix + "membership_healthy", "gauge", label, cluster.endpoints.count { $0.isHealthy && !$0.isEjected })
      families.add(prefix + "membership_total", "gauge", label, cluster.endpoints.count)
      families.add(prefix + "ssl_connection_error", "counter", label, counters.handshakeFailures)
      families.add(prefix + "ssl_handshake", "counter", label, counters.handshakes)
      families.add(prefix + "update_failure", "counter", label, counters.resolutionFailures)
      families.add(prefix + "upstream_cx_active", "gauge", label, counters.activeConnections)
      families.add(prefix + "upstream_cx_connect_fail", "counter", label, counters.connectFailures)
      families.add(prefix + "upstream_cx_connect_timeout", "counter", label, counters.connectTimeouts)
      families.add(
        prefix + "upstream_cx_destroy_with_active_rq", "counter", label, counters.connectionsDestroyedWithActiveRequest)
      families.add(prefix + "upstream_cx_none_healthy", "counter", label, counters.noneHealthy)
      families.add(prefix + "upstream_cx_rx_bytes_total", "counter", label, counters.bytesReceived)
      families.add(prefix + "upstream_cx_total", "counter", label, counters.connections)
      families.add(prefix + "upstream_cx_tx_bytes_total", "counter", label, counters.bytesSent)
      for digit in 1...5 {
        families.add(
          prefix + "upstream_rq_xx", "counter", [("envoy_response_code_class", "\(digit)")] + label,
          counters.responses[digit])
      }
      families.add(prefix + "upstream_rq_active", "gauge", label, counters.activeRequests)
      families.add(prefix + "upstream_rq_pending_overflow", "counter", label, counters.overflows)
      families.add(prefix + "upstream_cx_overflow", "counter", label, counters.connectionOverflows)
      families.add(prefix + "upstream_cx_max_duration_reached", "counter", label, counters.maxDurationsReached)
      families.add(prefix + "upstream_rq_retry", "counter", label, counters.retries)
      families.add(prefix + "upstream_rq_rx_reset", "counter", label, counters.resets)
      families.add(prefix + "upstream_rq_timeout", "counter", label, counters.timeouts)
      families.add(prefix + "upstream_rq_total", "counter", label, counters.requests)
    }
  }

  /// Istio's metrics of connections that are not HTTP.
  private static func writeTCP(_ statistics: Statistics, _ families: inout Families) {
    let identity = statistics.snapshot.identity
    var byHost: [String: ClusterCounters] = [:]
    for (name, cluster) in statistics.clusters where cluster.counters.tcpConnectionsOpened > 0 {
      // `outbound|443||db.example`, or `outbound_.443_._.db.example` behind AUTO_PASSTHROUGH.
      let host = name.split(separator: name.contains("|") ? "|" : "_").last.map(String.init) ?? name
      byHost[String(host.drop { $0 == "." }), default: ClusterCounters()] += cluster.counters
    }
    for (host, counters) in byHost.sorted(by: { $0.key < $1.key }) {
      let labels = [
        ("reporter", "source"), ("source_workload", identity.name), ("source_workload_namespace", identity.namespace),
        ("destination_service", host), ("request_protocol", "tcp"),
      ]
      families.add("istio_tcp_connections_opened_total", "counter", labels, counters.tcpConnectionsOpened)
      families.add("istio_tcp_connections_closed_total", "counter", labels, counters.tcpConnectionsClosed)
      families.add("istio_tcp_received_bytes_total", "counter", labels, counters.tcpBytesReceived)
      families.add("istio_tcp_sent_bytes_total", "counter", labels, counters.tcpBytesSent)
    }
  }

  private static func writeDownstream(_ statistics: Statistics, _ families: inout Families) {
    let counters = statistics.downstream
    families.add("envoy_http_downstream_cx_active", "gauge", [], counters.activeConnections)
    families.add("envoy_http_downstream_cx_total", "counter", [], counters.connections)
    families.add("envoy_http_downstream_cx_overflow", "counter", [], counters.connectionOverflows)
    families.add("envoy_http_downstream_cx_http2_total", "counter", [], counters.http2Connections)
    families.add("envoy_http2_protocol_error", "counter", [], counters.http2ProtocolErrors)
    families.add("envoy_http_downstream_cx_rx_bytes_total", "counter", [], counters.bytesReceived)
    families.add("envoy_http_downstream_cx_tx_bytes_total", "counter", [], counters.bytesSent)
    families.add("envoy_http_downstream_rq_active", "gauge", [], counters.activeRequests)
    families.add("envoy_http_downstream_rq_total", "counter", [], counters.requests)
    families.add("envoy_http_downstream_rq_refused", "counter", [], counters.refusedRequests)
    for digit in 1...5 {
      families.add(
        "envoy_http_downstream_rq_xx", "counter", [("envoy_response_code_class", "\(digit)")], counters.responses[digit]
      )
    }
    families.add("envoy_listener_ssl_handshake", "counter", [], counters.handshakes)
    families.add("envoy_listener_ssl_connection_error", "counter", [], counters.handshakeFailures)
    families.add("envoy_listener_downstream_cx_active", "gauge", [], counters.activeConnections)
    families.add("envoy_listener_no_filter_chain_match", "counter", [], counters.connectionsWithoutChain)
    families.add("sallyport_listener_refused", "counter", [], counters.connectionsRefused)
    families.add("sallyport_listener_accept_exhausted", "counter", [], counters.acceptsExhausted)
    families.add("sallyport_access_log_dropped", "counter", [], counters.droppedLogLines)
  }

  private static func writeServer(_ statistics: Statistics, _ families: inout Families) {
    families.add("envoy_server_live", "gauge", [], 1)
    families.add("envoy_server_uptime", "gauge", [], Int(statistics.uptimeSeconds))
    families.add("envoy_server_concurrency", "gauge", [], statistics.workers)
    families.add("envoy_server_state", "gauge", [], statistics.isDraining ? 1 : 0)
    if let days = statistics.daysUntilExpiry {
      families.add("envoy_server_days_until_first_cert_expiring", "gauge", [], days)
    }
    families.add("sallyport_ready", "gauge", [], statistics.isReady ? 1 : 0)
    families.add("sallyport_config_generation", "gauge", [], statistics.generation)
    families.add("sallyport_config_reload_success", "counter", [], statistics.reloads.succeeded)
    families.add("sallyport_config_reload_failure", "counter", [], statistics.reloads.failed)
    for probe in statistics.probes {
      families.add(
        "sallyport_upstream_healthy", "gauge", [("probe", probe.name), ("cluster_name", probe.cluster)],
        probe.isHealthy ? 1 : 0)
    }
    families.add("istio_build", "gauge", [("component", "proxy"), ("tag", Version.text)], 1)
  }

  private static func writeIstio(_ statistics: Statistics, _ families: inout Families) {
    let order = statistics.requests.sorted { left, right in
      (left.key.host ?? "", left.key.status, left.key.flags.rawValue)
        < (right.key.host ?? "", right.key.status, right.key.flags.rawValue)
    }
    let series = order.map { (labels($0.key, statistics.snapshot.identity), $0.value) }
    for (labels, value) in series { families.add("istio_requests_total", "counter", labels, value.requests) }
    for (labels, value) in series {
      let name = "istio_request_duration_milliseconds"
      var sum = 0
      for (index, bound) in RequestCounters.bounds.enumerated() {
        sum += value.durations[index]
        families.add(name, "histogram", labels + [("le", "\(bound)")], sum, suffix: "_bucket")
      }
      families.add(name, "histogram", labels + [("le", "+Inf")], value.requests, suffix: "_bucket")
      families.add(name, "histogram", labels, value.durationMilliseconds, suffix: "_sum")
      families.add(name, "histogram", labels, value.requests, suffix: "_count")
    }
  }

  /// Istio's labels, as far as a gateway without a mesh knows them; the rest is `unknown`, as Istio writes it.
  private static func labels(_ key: Statistics.RequestOutcome, _ identity: InstanceIdentity) -> [(String, String)] {
    let host = key.host ?? "unknown"
    let parts = host.split(separator: ".")
    let isMesh = host.hasSuffix(".svc.cluster.local") && parts.count > 1
    let flags = ResponseFlags.names.filter { key.flags.contains($0.flag) }.map { "\($0.name)" }.joined(separator: ",")
    return [
      ("reporter", "source"), ("source_workload", identity.name), ("source_workload_namespace", identity.namespace),
      ("source_canonical_service", identity.labels["service.istio.io/canonical-name"] ?? identity.name),
      ("destination_service", host), ("destination_service_name", isMesh ? String(parts[0]) : host),
      ("destination_service_namespace", isMesh ? String(parts[1]) : "unknown"), ("request_protocol", "http"),
      ("response_code", "\(key.status)"), ("response_flags", flags.isEmpty ? "-" : flags),
      ("connection_security_policy", "unknown"),
    ]
  }
}

extension RequestCounters.Value {
  static func += (sum: inout Self, other: Self) {
    sum.requests += other.requests
    sum.requestBytes += other.requestBytes
    sum.responseBytes += other.responseBytes
    sum.durationMilliseconds += other.durationMilliseconds
    for index in 0..<21 { sum.durations[index] += other.durations[index] }
  }
}
