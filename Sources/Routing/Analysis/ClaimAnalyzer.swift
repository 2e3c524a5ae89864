import Resources

/// IST0149: routing by claims of a token that nobody verifies.
enum ClaimAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      service.spec.http.flatMap(\.match).flatMap { match in
        (match.headers + match.withoutHeaders).map(\.key).filter { isClaim($0.value) }.map { key in
          MessageCatalog.finding(
            "IST0149",
            "The virtual service uses the JWT claim based routing (key: \(key.value)) but found no request authentication that is acted on",
            at: key.location, resource: service.description, help: "the condition never holds")
        }
      }
    }
  }

  private static func isClaim(_ name: String) -> Bool {
    name.lowercased().hasPrefix("@request.auth.claims")
  }
}
