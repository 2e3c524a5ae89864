/// Istio's percentages.
enum Percentage {
  /// `NAME: {value: 0.1}`
  static func read(_ name: String, _ reader: FieldReader) -> Located<Double>? {
    let value = reader.object(name) { $0.double("value") } ?? nil
    if let value { check(value, reader.context) }
    return value
  }

  static func check(_ percent: Located<Double>, _ context: DecodingContext) {
    guard percent.value != 0, !(0.0001...100).contains(percent.value) else { return }
    context.error(
      "percentage \(percent.value) is neither 0.0, nor in range [0.0001, 100.0]", at: percent.location)
  }
}
