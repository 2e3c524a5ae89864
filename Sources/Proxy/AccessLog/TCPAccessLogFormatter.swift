import Transport
import Wire

/// Writes one access log line for a connection that was not HTTP: the same formats as for requests, where everything that
/// only a request has is missing.
enum TCPAccessLogFormatter {
  /// Fixed parts, numbers and addresses of a line.
  private static let fixedBytes = 1024

  /// An upper bound of the line's length.
  static func bound(_ record: TCPAccessRecord, json: Bool) -> Int {
    let variable = record.serverName.count + record.clusterName.count
    var addresses = record.failureReason.map { LineWriter.bytesOfReason($0) } ?? 0
    for address in [record.upstream, record.upstreamLocal, record.local, record.peer] {
      addresses += LineWriter.extraBytes(address, json: json)
    }
    // A byte may become six in JSON.
    return fixedBytes + addresses + (json ? variable * 6 : variable)
  }

  /// Istio's default text format: `[…] "- - -" 0 UF,URX - - "…" 0 0 1 - "-" "-" "-" "-" "10.0.0.1:3306" outbound|3306||db …`
  static func writeText(
    _ record: TCPAccessRecord, epochMilliseconds: Int64, into output: inout MutableRawSpan
  ) -> Int {
    var line = LineWriter(isJSON: false)
    line.raw("[", into: &output)
    Timestamp.writeISO8601(epochMilliseconds: epochMilliseconds, &line.writer, into: &output)
    line.raw("] \"- - -\" 0 ", into: &output)
    line.flags(record.flags, into: &output)
    line.raw(" ", into: &output)
    line.constant(record.details, into: &output)
    line.raw(" - \"", into: &output)
    line.text(record.failureReason, into: &output)
    line.raw("\" ", into: &output)
    for number in [record.bytesReceived, record.bytesSent, record.durationMilliseconds] {
      line.number(number, into: &output)
      line.raw(" ", into: &output)
    }
    line.raw("- \"-\" \"-\" \"-\" \"-\" \"", into: &output)
    line.address(record.upstream, into: &output)
    line.raw("\" ", into: &output)
    line.bytes(record.clusterName, into: &output)
    for address in [record.upstreamLocal, record.local, record.peer] {
      line.raw(" ", into: &output)
      line.address(address, into: &output)
    }
    line.raw(" ", into: &output)
    line.bytes(record.serverName, into: &output)
    line.raw(" -\n", into: &output)
    return line.writer.position
  }

  /// The keys of Istio's `accessLogEncoding: JSON`.
  static func writeJSON(
    _ record: TCPAccessRecord, epochMilliseconds: Int64, into output: inout MutableRawSpan
  ) -> Int {
    var line = LineWriter(isJSON: true)
    line.raw("{\"start_time\":\"", into: &output)
    Timestamp.writeISO8601(epochMilliseconds: epochMilliseconds, &line.writer, into: &output)
    line.raw(
      "\",\"route_name\":null,\"method\":null,\"path\":null,\"protocol\":null,\"response_code\":0", into: &output)
    line.raw(",\"response_flags\":", into: &output)
    line.flags(record.flags, into: &output)
    line.raw(",\"response_code_details\":", into: &output)
    line.constant(record.details, into: &output)
    line.raw(",\"connection_termination_details\":null,\"upstream_transport_failure_reason\":", into: &output)
    line.text(record.failureReason, into: &output)
    line.raw(",\"bytes_received\":", into: &output)
    line.number(record.bytesReceived, into: &output)
    line.raw(",\"bytes_sent\":", into: &output)
    line.number(record.bytesSent, into: &output)
    line.raw(",\"duration\":", into: &output)
    line.number(record.durationMilliseconds, into: &output)
    line.raw(",\"upstream_service_time\":null,\"x_forwarded_for\":null,\"user_agent\":null", into: &output)
    line.raw(",\"request_id\":null,\"authority\":null,\"upstream_host\":", into: &output)
    line.address(record.upstream, into: &output)
    line.raw(",\"upstream_cluster\":", into: &output)
    line.bytes(record.clusterName, into: &output)
    line.raw(",\"upstream_local_address\":", into: &output)
    line.address(record.upstreamLocal, into: &output)
    line.raw(",\"downstream_local_address\":", into: &output)
    line.address(record.local, into: &output)
    line.raw(",\"downstream_remote_address\":", into: &output)
    line.address(record.peer, into: &output)
    line.raw(",\"requested_server_name\":", into: &output)
    line.bytes(record.serverName, into: &output)
    line.raw("}\n", into: &output)
    return line.writer.position
  }
}
