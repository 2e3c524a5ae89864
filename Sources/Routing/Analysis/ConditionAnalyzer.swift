import Resources

/// Conditions of http rules, the path apart, that hold for no request, or that do not count.
enum ConditionAnalyzer {
  private static let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"]
  /// Names that Istio takes for parts of the request, and leaves out of the conditions on fields.
  private static let parts: Set<String> = ["uri", "scheme", "method", "authority"]

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      service.spec.http.flatMap(\.match).flatMap { match in
        [method(match), scheme(match), port(match, service, context)].compactMap { $0 }.map { finding in
          MessageCatalog.finding(
            "SP1028", finding.message, at: finding.location, resource: service.description, help: finding.help)
        } + ignored(match, service)
      }
    }
  }

  private struct Finding {
    let message: String
    let location: SourceLocation
    let help: String
  }

  private static func method(_ match: HTTPMatch) -> Finding? {
    guard case .exact(let text)? = match.method?.kind, !methods.contains(text.value),
      methods.contains(text.value.uppercased())
    else { return nil }
    return Finding(
      message: "method \"\(text.value)\" never matches: the case of methods counts", location: text.location,
      help: "did you mean \"\(text.value.uppercased())\"?")
  }

  private static func scheme(_ match: HTTPMatch) -> Finding? {
    guard case .exact(let text)? = match.scheme?.kind, !["http", "https"].contains(text.value) else { return nil }
    return Finding(
      message: "scheme \"\(text.value)\" never matches: a request has \"http\" or \"https\"", location: text.location,
      help: Suggestion.help(for: text.value, among: ["http", "https"]) ?? "write one of them")
  }

  /// A port that no server has of the Gateways that the match is for. What is not known says nothing.
  private static func port(
    _ match: HTTPMatch, _ service: Resource<VirtualService>, _ context: AnalysisContext
  ) -> Finding? {
    guard let port = match.port else { return nil }
    let references = AnalysisContext.gateways(of: match, in: service)
    let gateways = references.compactMap { context.gateway($0, from: service.metadata.namespace) }
    guard gateways.count == references.count else { return nil }
    let known = Set(gateways.flatMap(\.spec.servers).compactMap { $0.port?.number?.value })
    guard !known.isEmpty, !known.contains(port.value) else { return nil }
    return Finding(
      message:
        "port \(port.value) never matches: its Gateways have \(known.sorted().map(String.init).joined(separator: ", "))",
      location: port.location, help: "it is the port of the Gateway's server, not of the destination")
  }

  private static func ignored(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> [Diagnostic] {
    match.headers.map(\.key).filter { parts.contains($0.value) }.map { name in
      MessageCatalog.finding(
        "SP1028", "the condition on a header \"\(name.value)\" does not count: Istio takes it for the request's own",
        at: name.location, resource: service.description, help: "write \(name.value) beside headers, not in it")
    }
  }
}
