/// What names and annotations resources may have.
enum MetadataRules {
  static func check(_ metadata: Metadata, _ kind: String, _ context: DecodingContext) {
    if kind == "Gateway", !metadata.name.isEmpty, !HostRules.isLabel(metadata.name) {
      context.error("invalid gateway name: \"\(metadata.name)\"", at: metadata.nameLocation)
    }
    for (name, place) in metadata.annotationLocations.sorted(by: { $0.key < $1.key }) {
      if name.hasPrefix("internal.istio.io/") {
        context.error("\"\(name)\" annotation found, this may not be set by users", at: place)
      } else if name == dryRun {
        checkDryRun(metadata, kind, place, context)
      }
    }
  }

  /// Istio logs what an AuthorizationPolicy with it would do.
  static let dryRun = "istio.io/dry-run"

  private static func checkDryRun(
    _ metadata: Metadata, _ kind: String, _ place: SourceLocation, _ context: DecodingContext
  ) {
    let reference = "\(metadata.namespace)/\(metadata.name)"
    guard kind == "AuthorizationPolicy" else {
      return context.error(
        "\(reference) has unsupported annotation \(dryRun), please remove the annotation", at: place)
    }
    let value = metadata.annotations[dryRun] ?? ""
    // As Go reads booleans.
    switch value {
    case "1", "t", "T", "true", "TRUE", "True": context.dryRun = place
    case "0", "f", "F", "false", "FALSE", "False": break
    default:
      context.error(
        "\(reference) has annotation \(dryRun) with invalid value (\(value)): strconv.ParseBool: parsing \"\(value)\": invalid syntax",
        at: place, help: "\"true\" or \"false\" is expected")
    }
  }
}
