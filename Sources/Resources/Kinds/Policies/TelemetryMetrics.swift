/// `metrics[]` of a Telemetry.
package struct TelemetryMetrics: Sendable {
  /// Istio's metrics.
  package enum Metric: String, Sendable, CaseIterable {
    case all = "ALL_METRICS"
    case requestCount = "REQUEST_COUNT"
    case requestDuration = "REQUEST_DURATION"
    case requestSize = "REQUEST_SIZE"
    case responseSize = "RESPONSE_SIZE"
    case tcpOpenedConnections = "TCP_OPENED_CONNECTIONS"
    case tcpClosedConnections = "TCP_CLOSED_CONNECTIONS"
    case tcpSentBytes = "TCP_SENT_BYTES"
    case tcpReceivedBytes = "TCP_RECEIVED_BYTES"
    case grpcRequestMessages = "GRPC_REQUEST_MESSAGES"
    case grpcResponseMessages = "GRPC_RESPONSE_MESSAGES"
  }

  /// What becomes of a tag.
  package enum TagOperation: String, Sendable, CaseIterable {
    case upsert = "UPSERT"
    case remove = "REMOVE"
  }

  /// An override of a metric, or of all.
  package struct Override: Sendable {
    package let metric: Located<Metric>?
    package let customMetric: Located<String>?
    package let disabled: Located<Bool>?
    /// The names of the tags that are changed.
    package let tags: [Located<String>]

    init(_ reader: FieldReader) {
      let match = reader.object("match") { match in
        _ = match.enumeration("mode", Telemetry.Mode.self)
        let custom = match.string("customMetric")
        if let custom, custom.value.isEmpty {
          match.context.error("customMetric may not be empty", at: custom.location)
        }
        let metric = match.enumeration("metric", Metric.self)
        match.exclusive("metric", "customMetric")
        return (metric, custom)
      }
      metric = match?.0
      customMetric = match?.1
      disabled = reader.boolean("disabled")
      tags = reader.objectMap("tagOverrides", Self.tag).map(\.key)
      for name in tags where name.value.isEmpty {
        reader.context.warning("tagOverrides.name may not be empty", at: name.location)
      }
    }

    private static func tag(_ reader: FieldReader) {
      let operation = reader.enumeration("operation", TagOperation.self)
      let value = reader.string("value")
      let isRemoved = operation?.value == .remove
      if isRemoved, let value, !value.value.isEmpty {
        reader.context.error("tagOverrides.value may only be set when operation is UPSERT", at: value.location)
      } else if !isRemoved, operation != nil || !reader.has("operation") {
        reader.require("value", value, "tagOverrides.value must be set when operation is UPSERT")
      }
    }
  }

  package let providers: [Located<String>]
  package let overrides: [Override]
  /// In milliseconds.
  package let reportingInterval: Located<Int>?

  init(_ reader: FieldReader) {
    providers = Telemetry.providers(reader)
    overrides = reader.objects("overrides", Override.init)
    reportingInterval = reader.duration("reportingInterval")
  }
}
