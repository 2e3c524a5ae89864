/// IST0171: what a cluster has written into a resource's status, where it is bad news.
enum StatusConditions {
  /// Says every condition that is false. A status may hold whatever it likes: nothing else of it is looked at.
  static func report(_ reader: FieldReader) {
    guard case .mapping(let status)? = reader.raw("status"), case .sequence(let conditions)? = status["conditions"]
    else { return }
    for case .mapping(let condition) in conditions.items {
      guard let state = condition["status"], state.scalar?.string.lowercased() == "false" else { continue }
      let text = { (name: String) in condition[name]?.scalar?.string ?? "" }
      reader.context.report(
        .warning,
        "A condition with a negative status is present: type=\(text("type")), reason=\(text("reason")), message=\(text("message")).",
        at: reader.context.location(of: state), code: "IST0171")
    }
  }
}
