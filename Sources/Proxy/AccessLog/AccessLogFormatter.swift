import Routing
import Transport
import Wire

/// Writes one access log line for a finished stream: Istio's default text format, byte for byte, or Istio's JSON keys.
enum AccessLogFormatter {
  /// Fixed parts, numbers and addresses of a line.
  private static let fixedBytes = 1024

  /// An upper bound of the line's length.
  static func bound(_ stream: Stream, json: Bool) -> Int {
    // The head's store holds all of the fields that are logged; what was edited is in it, too.
    let reason = stream.failureReason == nil ? 0 : LineWriter.bytesOfReason(stream.failureReason ?? "")
    let variable = stream.request.headers.byteCount + stream.nameBytes + 255
    let addresses =
      LineWriter.extraBytes(stream.upstreamAddress, json: json) + LineWriter.extraBytes(stream.source.local, json: json)
    // A byte may become six in JSON.
    return fixedBytes + addresses + reason + (json ? variable * 6 : variable)
  }

  // MARK: Text

  /// `[%START_TIME%] "%REQ(:METHOD)% …`: Istio's default, see `docs/operations.md`.
  static func writeText(_ stream: Stream, epochMilliseconds: Int64, into output: inout MutableRawSpan) -> Int {
    var line = LineWriter(isJSON: false)
    line.raw("[", into: &output)
    Timestamp.writeISO8601(epochMilliseconds: epochMilliseconds, &line.writer, into: &output)
    line.raw("] \"", into: &output)
    line.range(stream.request.methodName, of: stream.request, into: &output)
    line.raw(" ", into: &output)
    line.range(path(stream), of: stream.request, into: &output)
    line.raw(" ", into: &output)
    line.raw(stream.request.methodName.isEmpty ? "-" : stream.request.version.text, into: &output)
    line.raw("\" ", into: &output)
    line.number(stream.response.status, into: &output)
    line.raw(" ", into: &output)
    line.flags(stream.flags, into: &output)
    line.raw(" ", into: &output)
    writeDetails(stream, &line, &output)
    line.raw(" - \"", into: &output)
    line.text(stream.failureReason, into: &output)
    line.raw("\" ", into: &output)
    line.number(stream.requestBodyBytes, into: &output)
    line.raw(" ", into: &output)
    line.number(stream.responseBodyBytes, into: &output)
    line.raw(" ", into: &output)
    line.number(stream.durationMilliseconds, into: &output)
    line.raw(" ", into: &output)
    line.headerNumber(stream.serviceMilliseconds, into: &output)
    writeTextFields(stream, &line, &output)
    line.raw("\n", into: &output)
    return line.writer.position
  }

  private static func writeTextFields(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    line.raw(" \"", into: &output)
    line.field(.xForwardedFor, of: stream.request, into: &output)
    line.raw("\" \"", into: &output)
    line.field(.userAgent, of: stream.request, into: &output)
    line.raw("\" \"", into: &output)
    line.field(.xRequestID, of: stream.request, into: &output)
    line.raw("\" \"", into: &output)
    line.range(stream.request.authority, of: stream.request, into: &output)
    line.raw("\" \"", into: &output)
    line.address(stream.upstreamAddress, into: &output)
    line.raw("\" ", into: &output)
    writeCluster(stream, &line, &output)
    line.raw(" ", into: &output)
    line.address(stream.upstreamLocalAddress, into: &output)
    line.raw(" ", into: &output)
    line.address(stream.source.local, into: &output)
    line.raw(" ", into: &output)
    line.address(stream.source.peer, into: &output)
    line.raw(" ", into: &output)
    writeServerName(stream, &line, &output)
    line.raw(" ", into: &output)
    writeRouteName(stream, &line, &output)
  }

  // MARK: JSON

  /// The keys of Istio's `accessLogEncoding: JSON`, typed as Envoy types them: what it counts is a number, what stands in a
  /// header field is a string, what is missing is null.
  static func writeJSON(_ stream: Stream, epochMilliseconds: Int64, into output: inout MutableRawSpan) -> Int {
    var line = LineWriter(isJSON: true)
    line.raw("{\"start_time\":\"", into: &output)
    Timestamp.writeISO8601(epochMilliseconds: epochMilliseconds, &line.writer, into: &output)
    line.raw("\",\"route_name\":", into: &output)
    writeRouteName(stream, &line, &output)
    line.raw(",\"method\":", into: &output)
    line.range(stream.request.methodName, of: stream.request, into: &output)
    line.raw(",\"path\":", into: &output)
    line.range(path(stream), of: stream.request, into: &output)
    line.raw(",\"protocol\":", into: &output)
    line.constant(stream.request.methodName.isEmpty ? "" : stream.request.version.text, into: &output)
    line.raw(",\"response_code\":", into: &output)
    line.number(stream.response.status, into: &output)
    line.raw(",\"response_flags\":", into: &output)
    line.flags(stream.flags, into: &output)
    line.raw(",\"response_code_details\":", into: &output)
    writeDetails(stream, &line, &output)
    line.raw(",\"connection_termination_details\":null,\"upstream_transport_failure_reason\":", into: &output)
    line.text(stream.failureReason, into: &output)
    line.raw(",\"bytes_received\":", into: &output)
    line.number(stream.requestBodyBytes, into: &output)
    line.raw(",\"bytes_sent\":", into: &output)
    line.number(stream.responseBodyBytes, into: &output)
    line.raw(",\"duration\":", into: &output)
    line.number(stream.durationMilliseconds, into: &output)
    line.raw(",\"upstream_service_time\":", into: &output)
    line.headerNumber(stream.serviceMilliseconds, into: &output)
    writeJSONFields(stream, &line, &output)
    line.raw("}\n", into: &output)
    return line.writer.position
  }

  private static func writeJSONFields(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    line.raw(",\"x_forwarded_for\":", into: &output)
    line.field(.xForwardedFor, of: stream.request, into: &output)
    line.raw(",\"user_agent\":", into: &output)
    line.field(.userAgent, of: stream.request, into: &output)
    line.raw(",\"request_id\":", into: &output)
    line.field(.xRequestID, of: stream.request, into: &output)
    line.raw(",\"authority\":", into: &output)
    line.range(stream.request.authority, of: stream.request, into: &output)
    line.raw(",\"upstream_host\":", into: &output)
    line.address(stream.upstreamAddress, into: &output)
    line.raw(",\"upstream_cluster\":", into: &output)
    writeCluster(stream, &line, &output)
    line.raw(",\"upstream_local_address\":", into: &output)
    line.address(stream.upstreamLocalAddress, into: &output)
    line.raw(",\"downstream_local_address\":", into: &output)
    line.address(stream.source.local, into: &output)
    line.raw(",\"downstream_remote_address\":", into: &output)
    line.address(stream.source.peer, into: &output)
    line.raw(",\"requested_server_name\":", into: &output)
    writeServerName(stream, &line, &output)
  }

  // MARK: Parts

  /// `%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%`
  private static func path(_ stream: Stream) -> ByteRange {
    // CONNECT has no path.
    if stream.request.isConnect { return .empty }
    let original = stream.request.headers.value(of: .xEnvoyOriginalPath)
    return original.isEmpty ? stream.request.target : original
  }

  private static func writeDetails(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    if stream.failureReason == nil { return line.constant(stream.details, into: &output) }
    line.details(stream.details, because: stream.failureReason, into: &output)
  }

  private static func writeCluster(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    guard let cluster = stream.cluster else { return line.missing(into: &output) }
    cluster.with { line.bytes($0.nameBytes, into: &output) }
  }

  private static func writeServerName(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    guard stream.source.isTLS else { return line.missing(into: &output) }
    stream.downstream.withSession { session in
      guard let session else { return line.missing(into: &output) }
      session.withServerName { line.span($0, into: &output) }
    }
  }

  private static func writeRouteName(_ stream: Stream, _ line: inout LineWriter, _ output: inout MutableRawSpan) {
    guard stream.routeIndex >= 0, let generation = stream.generation else { return line.missing(into: &output) }
    generation.with { line.bytes($0.snapshot.routeFacts[Int(stream.routeIndex)].nameBytes, into: &output) }
  }
}
