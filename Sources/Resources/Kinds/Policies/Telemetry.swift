/// telemetry.istio.io Telemetry: what a workload reports of its traffic. It is read and checked; the gateway does not act
/// on it: logs, metrics and traces are set by the instance.
package struct Telemetry: Sendable {
  /// Which of a workload's sides an entry is for.
  package enum Mode: String, Sendable, CaseIterable {
    case clientAndServer = "CLIENT_AND_SERVER"
    case client = "CLIENT"
    case server = "SERVER"
  }

  package let scope: PolicyScope
  package let tracing: [TelemetryTracing]
  package let metrics: [TelemetryMetrics]
  package let accessLogging: [TelemetryAccessLogging]

  init(_ reader: FieldReader) {
    scope = PolicyScope(reader)
    tracing = reader.objects("tracing", TelemetryTracing.init)
    metrics = reader.objects("metrics", TelemetryMetrics.init)
    accessLogging = reader.objects("accessLogging", TelemetryAccessLogging.init)
    if tracing.count > 1 {
      reader.context.warning("multiple tracing is not currently supported", at: tracing[1].location)
    }
  }

  /// The names of the providers of an entry.
  static func providers(_ reader: FieldReader) -> [Located<String>] {
    for (_, place) in reader.nullItems("providers") {
      reader.context.error("providers.name may not be empty", at: place)
    }
    return reader.objects("providers") { provider in
      let name = provider.string("name")
      // An item that is null has had its word.
      if provider.isWritten { provider.require("name", name, "providers.name may not be empty") }
      return name
    }.compactMap { $0 }
  }

  static func mode(_ reader: FieldReader) -> Located<Mode>? {
    reader.object("match") { $0.enumeration("mode", Mode.self) } ?? nil
  }
}
