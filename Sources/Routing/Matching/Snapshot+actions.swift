import Wire

/// What a route does to a message. Rules that change something are the exception: these paths may allocate.
extension Snapshot {
  /// Applies rewrite and header operations of the route, then of the destination. False as of `applyRewrite`.
  @discardableResult
  package func applyRequestActions(
    _ route: Route, _ destination: Destination, to head: inout RequestHead, _ context: MatchContext
  ) -> Bool {
    let isRewritten = applyRewrite(route, to: &head, context)
    if route.requestHeaders >= 0 { apply(headerOperations[Int(route.requestHeaders)], to: &head) }
    if destination.requestHeaders >= 0 { apply(headerOperations[Int(destination.requestHeaders)], to: &head) }
    return isRewritten
  }

  /// Applies the rewrite of the route. False when its regular expression exceeded its limits: the request must not be
  /// sent.
  package func applyRewrite(_ route: Route, to head: inout RequestHead, _ context: MatchContext) -> Bool {
    guard route.rewrite >= 0 else { return true }
    let before = context.limitsExceeded
    apply(rewrites[Int(route.rewrite)], to: &head, context)
    return context.limitsExceeded == before
  }

  /// Applies the header operations of the route, then of the destination, to the response.
  package func applyResponseActions(_ route: Route, _ destination: Destination, to head: inout ResponseHead) {
    if route.responseHeaders >= 0 { headerOperations[Int(route.responseHeaders)].apply(to: &head.headers) }
    if destination.responseHeaders >= 0 { headerOperations[Int(destination.responseHeaders)].apply(to: &head.headers) }
  }

  /// Applies header operations, whose values are plain, to a request.
  package func apply(_ operations: HeaderOperations, to head: inout RequestHead) {
    operations.apply(to: &head.headers)
    // `Host` among them is a host rewrite.
    if let host = (operations.set + operations.add).first(where: \.isAuthority) {
      setAuthority(of: &head, host.value)
    }
  }

  private func setAuthority(of head: inout RequestHead, _ authority: [UInt8]) {
    head.setAuthority(authority.span.raw)
  }

  private func apply(_ rewrite: Rewrite, to head: inout RequestHead, _ context: MatchContext) {
    if let authority = rewrite.authority { setAuthority(of: &head, authority) }
    let path = Self.copy(head.bytes(head.path))
    let target = Self.copy(head.bytes(head.target))
    let query = Self.copy(head.bytes(head.query))
    var newPath: [UInt8]
    switch rewrite.path {
    case .keep: return
    case .prefix(let count, let replacement): newPath = replacement + path.dropFirst(count)
    case .whole(let replacement): newPath = replacement
    case .regex(let regex, let replacement):
      guard let replaced = regexes.replacing(regex, in: path, with: replacement, context) else { return }
      newPath = replaced
    }
    // A path begins with a slash (RFC 9112, section 3.2.1), whatever it was put together from.
    if newPath.first != 0x2F { newPath.insert(0x2F, at: 0) }
    replaceTarget(of: &head, path: newPath, query: query, original: target)
  }

  private func replaceTarget(of head: inout RequestHead, path: [UInt8], query: [UInt8], original: [UInt8]) {
    head.headers.set(.xEnvoyOriginalPath, original.span.raw)
    head.setTarget(path: path.span.raw, query: query.span.raw)
  }

  // MARK: Redirects

  /// Where `httpsRedirect` leads: the same host, path and query by https.
  ///
  /// The port in the authority stays, as in Envoy, unless it is a port that this plaintext listener is reached at and
  /// there is an HTTPS listener: then the redirect leads to where that one is reached in the same way.
  package func httpsLocation(for head: borrowing RequestHead, listener: Int32) -> [UInt8] {
    let authority = head.bytes(head.authority)
    let host = Authority.host(of: authority)
    var location = Array("https://".utf8)
    let port = Self.port(of: authority, host: host)
    if listener >= 0, let target = listeners[Int(listener)].httpsPort(seenFrom: port) {
      location += Self.copy(host)
      if target != 443 { location += Array(":\(target)".utf8) }
    } else {
      location += Self.copy(authority)
    }
    // The target of CONNECT is no path.
    return head.isConnect ? location : location + Self.copy(head.bytes(head.target))
  }

  /// The location of a redirect rule.
  package func location(
    of redirect: Redirect, for head: borrowing RequestHead, listener: Int32, isTLS: Bool
  ) -> [UInt8] {
    let scheme = redirect.scheme ?? (isTLS ? "https" : "http")
    var location = Array("\(scheme)://".utf8)
    let authority = redirect.authority ?? Self.copy(head.bytes(head.authority))
    location += Self.authority(authority, redirect.port, scheme: scheme, requestPort: requestPort(listener))
    let query = Self.copy(head.bytes(head.query))
    if let path = redirect.path {
      location += path
      if path.contains(0x3F) || query.isEmpty { return location }
    } else if let prefix = redirect.prefixRewrite {
      location += prefix + Self.copy(head.bytes(head.path)).dropFirst(redirect.matchedPrefixCount)
      if query.isEmpty { return location }
    } else {
      return head.isConnect ? location : location + Self.copy(head.bytes(head.target))
    }
    return location + [0x3F] + query
  }

  private func requestPort(_ listener: Int32) -> Int {
    listener >= 0 ? Int(listeners[Int(listener)].declaredPort) : 0
  }

  private static func authority(
    _ authority: [UInt8], _ port: Redirect.Port, scheme: String, requestPort: Int
  ) -> [UInt8] {
    let host = copy(Authority.host(of: authority.span.raw))
    let usual = scheme == "https" ? 443 : 80
    switch port {
    case .keep: return authority
    case .number(let number): return number == usual ? host : host + Array(":\(number)".utf8)
    case .protocolDefault: return host
    case .requestPort: return requestPort == usual ? host : host + Array(":\(requestPort)".utf8)
    }
  }

  private static func port(of authority: RawSpan, host: RawSpan) -> Int? {
    guard host.byteCount < authority.byteCount else { return nil }
    return Int(String(decoding: copy(authority).dropFirst(host.byteCount + 1), as: UTF8.self))
  }

  static func copy(_ span: RawSpan) -> [UInt8] {
    unsafe span.withUnsafeBytes { unsafe Array($0) }
  }
}

extension HeaderOperations {
  /// Applies set, add and remove in Envoy's order: remove, then set and add.
  package func apply(to headers: inout HeaderBlock) {
    for name in remove { headers.removeAll(named: name.span.raw) }
    for field in set where !field.isOfLine {
      headers.removeAll(named: field.name.span.raw)
      headers.append(name: field.name.span.raw, value: field.value.span.raw)
    }
    for field in add where !field.isOfLine {
      headers.append(name: field.name.span.raw, value: field.value.span.raw)
    }
  }
}

extension HeaderOperations.Field {
  /// Says whom the request is for.
  var isAuthority: Bool { name == Array("host".utf8) || name == Array(":authority".utf8) }

  /// Belongs to the message's first line, or to its host, and not to the fields.
  var isOfLine: Bool { name.first == 0x3A || isAuthority }
}
