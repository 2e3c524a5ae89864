/// `tracing[]` of a Telemetry.
package struct TelemetryTracing: Sendable {
  package let location: SourceLocation
  package let mode: Located<Telemetry.Mode>?
  package let providers: [Located<String>]
  /// 0 to 100
  package let randomSamplingPercentage: Located<Double>?
  package let disableSpanReporting: Located<Bool>?
  /// The names of the tags that are added to spans.
  package let customTags: [Located<String>]
  package let useRequestIDForTraceSampling: Located<Bool>?
  package let enableIstioTags: Located<Bool>?
  package let disableContextPropagation: Located<Bool>?

  init(_ reader: FieldReader) {
    location = reader.location
    mode = Telemetry.mode(reader)
    providers = Telemetry.providers(reader)
    randomSamplingPercentage = reader.double("randomSamplingPercentage")
    disableSpanReporting = reader.boolean("disableSpanReporting")
    customTags = reader.objectMap("customTags", Self.tag).map(\.key)
    useRequestIDForTraceSampling = reader.boolean("useRequestIdForTraceSampling")
    enableIstioTags = reader.boolean("enableIstioTags")
    disableContextPropagation = reader.boolean("disableContextPropagation")
    let context = reader.context
    if providers.count > 1 {
      context.warning("multiple providers is not currently supported", at: providers[1].location)
    }
    if let share = randomSamplingPercentage, !(0...100).contains(share.value) {
      context.error("randomSamplingPercentage must be in range [0.0, 100.0]", at: share.location)
    }
    for name in customTags where name.value.isEmpty { context.error("tag name may not be empty", at: name.location) }
  }

  /// Where a tag's value comes from: exactly one of four.
  private static func tag(_ reader: FieldReader) {
    _ = reader.object("literal") { $0.require("value", $0.string("value"), "literal tag value may not be empty") }
    _ = reader.object("environment") { environment in
      environment.require("name", environment.string("name"), "environment tag name may not be empty")
      _ = environment.string("defaultValue")
    }
    _ = reader.object("header") { header in
      header.require("name", header.string("name"), "header tag name may not be empty")
      _ = header.string("defaultValue")
    }
    _ = reader.object("formatter") { formatter in
      formatter.require("value", formatter.string("value"), "formatter tag value may not be empty")
    }
    reader.exclusive("literal", "environment", "header", "formatter")
  }
}
