/// `http[].fault`: delays and errors made on purpose.
package struct HTTPFault: Sendable {
  package struct Delay: Sendable {
    /// In milliseconds.
    package var fixedDelay: Located<Int>?
    /// 0 to 100; absent means none (Istio).
    package var percentage: Located<Double>?

    init(_ reader: FieldReader) {
      fixedDelay = reader.duration("fixedDelay")
      let old = reader.integer("percent").map { Located(Double($0.value), at: $0.location) }
      percentage = Percentage.read("percentage", reader) ?? old
      reader.deprecated("percent", use: "percentage.value")
      if let old { Percentage.check(old, reader.context) }
      if reader.has("exponentialDelay") {
        reader.context.error("exponentialDelay not supported yet", at: reader.keyLocation("exponentialDelay"))
      } else {
        reader.require("fixedDelay", "fixedDelay is required")
      }
    }
  }

  package struct Abort: Sendable {
    /// 200 to 599
    package var httpStatus: Located<Int>?
    package var grpcStatus: Located<String>?
    /// 0 to 100; absent means none (Istio).
    package var percentage: Located<Double>?

    init(_ reader: FieldReader) {
      httpStatus = reader.integer("httpStatus")
      grpcStatus = reader.string("grpcStatus")
      percentage = Percentage.read("percentage", reader)
      let context = reader.context
      reader.exclusive("httpStatus", "grpcStatus", "http2Error")
      if let httpStatus, !(200...599).contains(httpStatus.value) {
        context.error("HTTP status \(httpStatus.value) is not in range 200-599", at: httpStatus.location)
      }
      if let grpcStatus, !Self.grpcStatuses.contains(grpcStatus.value.uppercased()) {
        context.error(
          "gRPC status \"\(grpcStatus.value)\" is not supported", at: grpcStatus.location,
          help: Suggestion.help(for: grpcStatus.value, among: Self.grpcStatuses))
      }
      if reader.has("http2Error") {
        context.error("HTTP/2 abort fault injection not supported yet", at: reader.keyLocation("http2Error"))
      } else if !reader.has("grpcStatus") {
        reader.require("httpStatus", "httpStatus or grpcStatus is required")
      }
    }

    private static let grpcStatuses = [
      "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
      "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
      "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
  }

  package var delay: Delay?
  package var abort: Abort?

  init(_ reader: FieldReader) {
    delay = reader.object("delay", Delay.init)
    abort = reader.object("abort", Abort.init)
    reader.require(anyOf: "delay", "abort", message: "HTTP fault injection must have an abort and/or a delay")
  }
}
