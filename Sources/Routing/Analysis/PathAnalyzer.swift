import Resources

/// Paths, prefixes and rewrites that are valid and do not say what is meant.
enum PathAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      service.spec.http.flatMap { route in
        route.match.flatMap { match in
          [neverMatches(match, service), glob(match, service), rewrite(route, match, service)].compactMap { $0 }
        }
      }
    }
  }

  /// The path of a request begins with a slash and ends before the query.
  private static func neverMatches(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> Diagnostic? {
    let text: Located<String>
    switch match.uri?.kind {
    case .exact(let exact): text = exact
    case .prefix(let prefix): text = prefix
    case .regex(let regex) where match.namesConnect: text = regex
    default: return nil
    }
    let reason: String
    let help: String
    if match.namesConnect {
      reason = "CONNECT has no path"
      help = "remove it; authority compares the host and port of the tunnel"
    } else if !text.value.hasPrefix("/"), text.value != "*" {
      reason = "the path of a request begins with a slash"
      help = "did you mean \"/\(text.value)\"?"
    } else if let mark = text.value.first(where: { $0 == "?" || $0 == "#" }) {
      reason = "the path of a request ends before \"\(mark)\""
      help = "compare the query with queryParams"
    } else {
      return nil
    }
    return MessageCatalog.finding(
      "SP1024", "uri \"\(text.value)\" never matches: \(reason)", at: text.location, resource: service.description,
      help: help)
  }

  private static func glob(_ match: HTTPMatch, _ service: Resource<VirtualService>) -> Diagnostic? {
    switch match.uri?.kind {
    case .exact(let text) where text.value.hasSuffix("/*"), .prefix(let text) where text.value.hasSuffix("/*"):
      return MessageCatalog.finding(
        "SP1027", "uri \"\(text.value)\" has an asterisk that stands for itself", at: text.location,
        resource: service.description, help: "did you mean prefix \"\(text.value.dropLast())\"?")
    default: break
    }
    guard case .regex(let text)? = match.uri?.kind, text.value.hasSuffix("/*") else { return nil }
    let base = text.value.dropLast(2)
    return MessageCatalog.finding(
      "SP1027", "regex \"\(text.value)\" matches \"\(base)\" and slashes after it, nothing else", at: text.location,
      resource: service.description, help: "did you mean \"\(base)/.*\"?")
  }

  /// What is left of the path is put behind the replacement as it is.
  private static func rewrite(
    _ route: HTTPRoute, _ match: HTTPMatch, _ service: Resource<VirtualService>
  ) -> Diagnostic? {
    guard let uri = route.rewrite?.uri, case .prefix(let prefix)? = match.uri?.kind, !uri.value.isEmpty else {
      return nil
    }
    let had = prefix.value.hasSuffix("/")
    let has = uri.value.hasSuffix("/")
    guard had != has else { return nil }
    let before = prefix.value + (had ? "x" : "/x")
    let after = uri.value + (had ? "x" : "/x")
    return MessageCatalog.finding(
      "SP1023", "rewrite of prefix \"\(prefix.value)\" to \"\(uri.value)\" makes \"\(after)\" of \"\(before)\"",
      at: uri.location, resource: service.description,
      help: had
        ? "did you mean \"\(uri.value)/\"?" : "match \"\(prefix.value)/\", or rewrite to \"\(uri.value.dropLast())\"")
  }
}
