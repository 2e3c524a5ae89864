/// `outlierDetection`: endpoints that fail are left out for a while.
package struct OutlierDetection: Sendable {
  package var location: SourceLocation
  package var consecutive5xxErrors: Located<Int>?
  package var consecutiveGatewayErrors: Located<Int>?
  package var consecutiveLocalOriginFailures: Located<Int>?
  package var splitExternalLocalOriginErrors: Located<Bool>?
  /// In milliseconds.
  package var interval: Located<Int>?
  /// In milliseconds.
  package var baseEjectionTime: Located<Int>?
  /// 0 to 100
  package var maxEjectionPercent: Located<Int>?
  /// 0 to 100
  package var minHealthPercent: Located<Int>?
  /// Statuses that count as failures.
  package var httpErrorCodes: [Located<Int>]

  init(_ reader: FieldReader) {
    location = reader.location
    let counts = 0...Int(UInt32.max)
    consecutive5xxErrors = reader.integer("consecutive5xxErrors", in: counts)
    // Older than the two above: it counted gateway errors.
    let old = reader.integer("consecutiveErrors", in: counts)
    consecutiveGatewayErrors = reader.integer("consecutiveGatewayErrors", in: counts) ?? old
    consecutiveLocalOriginFailures = reader.integer("consecutiveLocalOriginFailures", in: counts)
    splitExternalLocalOriginErrors = reader.boolean("splitExternalLocalOriginErrors")
    interval = reader.duration("interval")
    baseEjectionTime = reader.duration("baseEjectionTime")
    maxEjectionPercent = reader.integer("maxEjectionPercent")
    minHealthPercent = reader.integer("minHealthPercent")
    httpErrorCodes = reader.integers("outlierDetectionHttpErrorCodes")
    if let old {
      reader.context.warning(
        "outlier detection consecutive errors is deprecated, use consecutiveGatewayErrors", at: old.location)
    }
    if let failures = consecutiveLocalOriginFailures, failures.value > 0,
      splitExternalLocalOriginErrors?.value != true
    {
      reader.context.error(
        "outlier detection consecutive local origin failures is specified, but split external local origin errors is set to false",
        at: failures.location, help: "add splitExternalLocalOriginErrors: true")
    }
    for percent in [maxEjectionPercent, minHealthPercent].compactMap({ $0 }) where !(0...100).contains(percent.value) {
      reader.context.error("percentage \(percent.value) is not in range 0..100", at: percent.location)
    }
    for code in httpErrorCodes where !(100...599).contains(code.value) {
      reader.context.error("HTTP status \(code.value) is not in range 100..599", at: code.location)
    }
  }
}
