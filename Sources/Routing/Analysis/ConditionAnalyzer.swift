import Resources

/// Conditions on requests that are valid and do not say what is meant.
enum ConditionAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      service.spec.http.flatMap(\.match).flatMap { match in
        namesakes(match, service) + [method(match, service), asterisk(match, service)].compactMap { $0 }
      }
    }
  }

  /// The parts of a request that have fields of their own in a match.
  private static let parts = ["uri": "path", "scheme": "scheme", "method": "method", "authority": "authority"]

  /// SP1030. Istio's documentation says that such keys are ignored; what it makes of them compares a field of the name.
  private static func namesakes(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> [Diagnostic] {
    (match.headers + match.withoutHeaders).compactMap { name, _ in
      let key = name.value.lowercased()
      guard let part = parts[key] else { return nil }
      return MessageCatalog.finding(
        "SP1030", "this compares a header field named \"\(name.value)\", not the \(part) of the request",
        at: name.location, resource: service.description, help: "write \"\(key)\" beside \"headers\", not in it")
    }
  }

  private static let methods: Set<String> = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
  ]

  /// SP1028. Methods are compared letter by letter (RFC 9110, section 9.1).
  private static func method(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> Diagnostic? {
    guard case .exact(let method)? = match.method?.kind, !methods.contains(method.value),
      methods.contains(method.value.uppercased())
    else { return nil }
    return MessageCatalog.finding(
      "SP1028", "method \"\(method.value)\" is never that of a request: methods are written in capitals",
      at: method.location, resource: service.description, help: "did you mean \"\(method.value.uppercased())\"?")
  }

  /// SP1029. `*` alone is the target of OPTIONS.
  private static func asterisk(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> Diagnostic? {
    let text: Located<String>
    let kind: String
    switch match.uri?.kind {
    case .exact(let exact): (text, kind) = (exact, "exact")
    case .prefix(let prefix): (text, kind) = (prefix, "prefix")
    default: return nil
    }
    guard let star = text.value.firstIndex(of: "*"), text.value != "*" else { return nil }
    let base = text.value[..<star]
    return MessageCatalog.finding(
      "SP1029", "\(kind) \"\(text.value)\" matches an asterisk in the path, not any text", at: text.location,
      resource: service.description,
      help: text.value.hasSuffix("*") && text.value.dropLast() == base
        ? "did you mean prefix \"\(base)\"?" : "use regex, where .* stands for any text")
  }
}
