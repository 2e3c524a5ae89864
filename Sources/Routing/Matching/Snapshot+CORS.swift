import Wire

/// What a CORS policy says to a request.
package enum CORSVerdict: Sendable {
  /// The request names no origin, or one that is not allowed.
  case none
  /// The origin is allowed: the response says so.
  case allowed
  /// A preflight of an allowed origin: it is answered here.
  case preflight
  /// A preflight of another origin that `unmatchedPreflights: IGNORE` answers without a word about CORS.
  case ignoredPreflight
}

extension Snapshot {
  /// Looks at the origin as Envoy's CORS filter does: a preflight is OPTIONS with `access-control-request-method`.
  package func corsVerdict(
    _ rules: CORSRules, _ head: borrowing RequestHead, _ context: MatchContext
  ) -> CORSVerdict {
    let range = head.headers.value(of: .origin)
    guard !range.isEmpty else { return .none }
    let isPreflight = head.method == .options && !head.headers.value(of: .accessControlRequestMethod).isEmpty
    let origin = Self.copy(head.bytes(range))
    guard rules.origins.contains(where: { allows($0, origin, context) }) else {
      return isPreflight && !rules.forwardsUnmatchedPreflights ? .ignoredPreflight : .none
    }
    return isPreflight ? .preflight : .allowed
  }

  private func allows(_ rule: CORSRules.Origin, _ origin: [UInt8], _ context: MatchContext) -> Bool {
    switch rule {
    case .any: return true
    case .exact(let text): return origin == text
    case .prefix(let text): return origin.starts(with: text)
    case .regex(let index): return regexes.matches(index, origin.span.raw, context)
    }
  }
}

extension CORSRules {
  /// Adds what a preflight is told.
  package func answerPreflight(_ response: inout ResponseHead, to request: borrowing RequestHead) {
    allowOrigin(&response, of: request)
    Self.set("access-control-allow-methods", allowMethods, &response)
    Self.set("access-control-allow-headers", allowHeaders, &response)
    Self.set("access-control-max-age", maxAge, &response)
  }

  /// Adds what the response to an allowed origin says; what the upstream said of it is replaced.
  package func mark(_ response: inout ResponseHead, of request: borrowing RequestHead) {
    allowOrigin(&response, of: request)
    Self.set("access-control-expose-headers", exposeHeaders, &response)
  }

  private func allowOrigin(_ response: inout ResponseHead, of request: borrowing RequestHead) {
    let origin = Snapshot.copy(request.bytes(request.headers.value(of: .origin)))
    Self.set("access-control-allow-origin", origin, &response)
    if allowCredentials { Self.set("access-control-allow-credentials", Array("true".utf8), &response) }
  }

  private static func set(_ name: String, _ value: [UInt8], _ response: inout ResponseHead) {
    guard !value.isEmpty else { return }
    let name = Array(name.utf8)
    response.headers.removeAll(named: name.span.raw)
    response.headers.append(name: name.span.raw, value: value.span.raw)
  }
}
