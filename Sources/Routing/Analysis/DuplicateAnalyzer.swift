import Resources

/// SP1003: resources that are given twice. Endpoints come as several resources; others may not.
enum DuplicateAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    var first: [String: SourceLocation] = [:]
    return context.resources.headers.compactMap { header -> Diagnostic? in
      guard header.kind != "Endpoints", !header.metadata.name.isEmpty else { return nil }
      let place = header.metadata.nameLocation ?? header.location
      guard let other = first.updateValue(place, forKey: header.description) else { return nil }
      first[header.description] = other
      return MessageCatalog.finding(
        "SP1003", "\(header.description) is given twice: the first is at \(other)", at: place,
        resource: header.description)
    }
  }
}
