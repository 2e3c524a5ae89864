import Proxy
import Routing

/// Figures in Prometheus' text format, with the names that dashboards for Istio and Envoy ask for.
enum PrometheusText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// - Parameters:
  ///   - filter: which families to write, by their names; nil for all.
  ///   - usedOnly: leaves out samples that are zero.
  static func write(_ statistics: Statistics, filter: StatisticsFilter? = nil, usedOnly: Bool = false) -> String {
    var families = MetricFamilies(filter: filter, usedOnly: usedOnly)
    writeClusters(statistics, &families)
    writeDownstream(statistics, &families)
    writeServer(statistics, &families)
    writeIstio(statistics, &families)
    writeTCP(statistics, &families)
    writeRoutes(statistics, &families)
    return families.text
  }

  private static func writeClusters(_ statistics: Statistics, _ families: inout MetricFamilies) {
    let clusters = statistics.clusters.sorted { $0.key < $1.key }
    for metric in ClusterMetric.all {
      let name = "envoy_cluster_\(metric.name.replacing(".", with: "_"))"
      let family = MetricFamilies.Family(name: name, type: metric.kind.rawValue, help: metric.help)
      for (name, figures) in clusters { families.add(family, metric.value(figures), [("cluster_name", name)]) }
    }
    for (name, figures) in clusters {
      for digit in 1...5 {
        families.add(
          .counter("envoy_cluster_upstream_rq_xx", "Responses by class of their status"),
          figures.counters.responses[digit],
          [("envoy_response_code_class", "\(digit)"), ("cluster_name", name)])
      }
    }
  }

  /// What is counted by `statPrefix`, with Envoy's names and labels.
  private static func writeRoutes(_ statistics: Statistics, _ families: inout MetricFamilies) {
    let prefix = "envoy_vhost_route_upstream_rq_"
    let routes = statistics.sortedRoutes
    for (name, counters) in routes {
      for digit in 1...5 {
        families.add(
          .counter(prefix + "xx", "Forwarded requests of a statPrefix by class of their status"),
          counters.responses[digit], [("envoy_response_code_class", "\(digit)")] + labels(name))
      }
    }
    for metric in RouteMetric.all {
      let family = MetricFamilies.Family.counter(prefix + metric.name, metric.help)
      for (name, counters) in routes { families.add(family, metric.value(counters), labels(name)) }
    }
    let time = MetricFamilies.Family.histogram(
      prefix + "time", "Milliseconds from the end of a request of a statPrefix to the end of the upstream's response")
    for (name, counters) in routes {
      families.add(
        time, counts: counters.durations.indices.map { counters.durations[$0] }, bounds: RequestCounters.bounds,
        sum: counters.durationMilliseconds, labels(name))
    }
  }

  private static func labels(_ name: RouteStatisticsName) -> [(String, String)] {
    [("envoy_virtual_host", name.virtualHost), ("envoy_route", name.prefix)]
  }

  /// Istio's metrics of connections that are not HTTP.
  private static func writeTCP(_ statistics: Statistics, _ families: inout MetricFamilies) {
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
      families.add(
        .counter("istio_tcp_connections_opened_total", "TCP connections opened"), counters.tcpConnectionsOpened, labels)
      families.add(
        .counter("istio_tcp_connections_closed_total", "TCP connections closed"), counters.tcpConnectionsClosed, labels)
      families.add(
        .counter("istio_tcp_received_bytes_total", "Bytes received from clients of TCP connections"),
        counters.tcpBytesReceived, labels)
      families.add(
        .counter("istio_tcp_sent_bytes_total", "Bytes sent to clients of TCP connections"), counters.tcpBytesSent,
        labels)
    }
  }

  private static func writeDownstream(_ statistics: Statistics, _ families: inout MetricFamilies) {
    let counters = statistics.downstream
    families.add(.gauge("envoy_http_downstream_cx_active", "Connections of clients"), counters.activeConnections)
    families.add(.counter("envoy_http_downstream_cx_total", "Connections that clients made"), counters.connections)
    families.add(
      .counter("envoy_http_downstream_cx_overflow", "Connections closed on arrival because of --max-connections"),
      counters.connectionOverflows)
    families.add(
      .counter("envoy_http_downstream_cx_http2_total", "HTTP/2 connections that clients made"),
      counters.http2Connections)
    families.add(
      .counter(
        "envoy_http2_protocol_error", "HTTP/2 connections ended because the client broke the protocol or flooded"),
      counters.http2ProtocolErrors)
    families.add(
      .counter("envoy_http_downstream_cx_rx_bytes_total", "Bytes received from clients"), counters.bytesReceived)
    families.add(.counter("envoy_http_downstream_cx_tx_bytes_total", "Bytes sent to clients"), counters.bytesSent)
    families.add(.gauge("envoy_http_downstream_rq_active", "Requests under way"), counters.activeRequests)
    families.add(.counter("envoy_http_downstream_rq_total", "Requests"), counters.requests)
    families.add(
      .counter("envoy_http_downstream_rq_refused", "Requests refused as malformed or too large"),
      counters.refusedRequests)
    families.add(
      .counter(
        "sallyport_http_downstream_rq_regex_limit",
        "Requests refused because a regular expression exceeded its limits with them"),
      counters.regexLimitsExceeded)
    for digit in 1...5 {
      families.add(
        .counter("envoy_http_downstream_rq_xx", "Responses by class of their status"), counters.responses[digit],
        [("envoy_response_code_class", "\(digit)")])
    }
    families.add(.counter("envoy_listener_ssl_handshake", "TLS handshakes with clients"), counters.handshakes)
    families.add(
      .counter("envoy_listener_ssl_connection_error", "TLS handshakes with clients that failed"),
      counters.handshakeFailures)
    families.add(.gauge("envoy_listener_downstream_cx_active", "Connections of clients"), counters.activeConnections)
    families.add(
      .counter(
        "envoy_listener_no_filter_chain_match",
        "Connections closed because no server owns the server name, or no route takes them"),
      counters.connectionsWithoutChain)
    families.add(
      .counter(
        "sallyport_listener_refused",
        "Connections closed before they were served: no PROXY protocol header, no ClientHello, or neither in time"),
      counters.connectionsRefused)
    families.add(
      .counter(
        "envoy_listener_downstream_cx_overload_reject",
        "Connections closed on arrival because the descriptors for clients are used up"), counters.descriptorOverflows)
    families.add(
      .gauge("sallyport_listener_handshake_active", "TLS handshakes with clients in progress"),
      counters.activeHandshakes)
    families.add(
      .counter(
        "sallyport_listener_handshake_overflow",
        "Connections closed within or before their TLS handshake because too many are in progress"),
      counters.handshakeOverflows)
    families.add(
      .counter(
        "sallyport_listener_accept_exhausted",
        "Times that accepting paused because the process was out of descriptors or memory"), counters.acceptsExhausted)
    families.add(
      .counter("sallyport_access_log_dropped", "Lines of the access log that nobody took in time"),
      counters.droppedLogLines)
  }

  private static func writeServer(_ statistics: Statistics, _ families: inout MetricFamilies) {
    families.add(.gauge("envoy_server_live", "1 while the process works"), 1)
    families.add(.gauge("envoy_server_uptime", "Seconds since the start"), Int(statistics.uptimeSeconds))
    families.add(.gauge("envoy_server_concurrency", "Workers"), statistics.workers)
    families.add(.gauge("envoy_server_state", "0 live, 1 draining"), statistics.isDraining ? 1 : 0)
    if let days = statistics.daysUntilExpiry {
      families.add(
        .gauge("envoy_server_days_until_first_cert_expiring", "Days until the first certificate in use ends"), days)
    }
    families.add(.gauge("sallyport_ready", "Whether the instance is ready"), statistics.isReady ? 1 : 0)
    families.add(
      .gauge("sallyport_config_generation", "The number of the configuration in force"), statistics.generation)
    let rejected = MetricFamilies.Family.gauge(
      "sallyport_config_rejected_resources", "Resources whose newest version is not in force, by the version that is")
    families.add(rejected, statistics.rejected.kept, [("version", "last_good")])
    families.add(rejected, statistics.rejected.leftOut, [("version", "none")])
    families.add(.counter("sallyport_config_reload_success", "Reloads that were taken"), statistics.reloads.succeeded)
    families.add(
      .counter("sallyport_config_reload_failure", "Reloads that were refused as a whole"), statistics.reloads.failed)
    for probe in statistics.probes {
      families.add(
        .gauge("sallyport_upstream_healthy", "Whether enough endpoints of a probed host are healthy"),
        probe.isHealthy ? 1 : 0, [("probe", probe.name), ("cluster_name", probe.cluster)])
    }
    families.add(.gauge("istio_build", "The version"), 1, [("component", "proxy"), ("tag", Version.text)])
  }

  private static func writeIstio(_ statistics: Statistics, _ families: inout MetricFamilies) {
    let order = statistics.requests.sorted { left, right in
      (left.key.host ?? "", left.key.status, left.key.flags.rawValue)
        < (right.key.host ?? "", right.key.status, right.key.flags.rawValue)
    }
    let series = order.map { (labels($0.key, statistics.snapshot.identity), $0.value) }
    for (labels, value) in series {
      families.add(.counter("istio_requests_total", "Requests by outcome"), value.requests, labels)
    }
    let histograms: [(MetricFamilies.Family, (RequestCounters.Value) -> (RequestCounters.Buckets, Int))] = [
      (
        .histogram("istio_request_duration_milliseconds", "Time from the request's first byte to the response's last"),
        { ($0.durations, $0.durationMilliseconds) }
      ), (.histogram("istio_request_bytes", "Size of request bodies"), { ($0.requestSizes, $0.requestBytes) }),
      (.histogram("istio_response_bytes", "Size of response bodies"), { ($0.responseSizes, $0.responseBytes) }),
    ]
    for (family, values) in histograms {
      for (labels, value) in series {
        let (buckets, sum) = values(value)
        families.add(
          family, counts: buckets.indices.map { buckets[$0] }, bounds: RequestCounters.bounds, sum: sum, labels)
      }
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
    for index in sum.durations.indices {
      sum.durations[index] += other.durations[index]
      sum.requestSizes[index] += other.requestSizes[index]
      sum.responseSizes[index] += other.responseSizes[index]
    }
  }
}
