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

  private static let dryRun = "istio.io/dry-run"

  private static func checkDryRun(
    _ metadata: Metadata, _ kind: String, _ place: SourceLocation, _ context: DecodingContext
  ) {
    guard kind == "AuthorizationPolicy" else {
      return context.error(
        "\(kind) \(metadata.namespace)/\(metadata.name) has unsupported annotation \(dryRun), please remove the annotation",
        at: place)
    }
    let value = metadata.annotations[dryRun] ?? ""
    guard !["true", "false"].contains(value.lowercased()) else { return }
    context.error(
      "\(kind) \(metadata.namespace)/\(metadata.name) has annotation \(dryRun) with invalid value (\(value)): true or false is expected",
      at: place)
  }
}
