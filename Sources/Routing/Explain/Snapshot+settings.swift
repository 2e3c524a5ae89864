/// What routes are told besides where to, in the words of VirtualService.
extension Snapshot {
  /// Everything that a rule says about a request, destinations apart; what says nothing is left out.
  package func settings(of route: Route) -> [Setting] {
    var all: [Setting] = []
    if route.action == .forward {
      if route.timeoutMilliseconds > 0 { all.append(Setting("timeout", Self.duration(route.timeoutMilliseconds))) }
      all.append(Setting("retries", retryPolicy(route).text))
    }
    if route.rewrite >= 0 { all += settings(of: rewrites[Int(route.rewrite)]) }
    all += settings(of: route.requestHeaders, "headers.request")
    all += settings(of: route.responseHeaders, "headers.response")
    return all + (extras(of: route).map(settings) ?? [])
  }

  private func settings(of extras: RouteExtras) -> [Setting] {
    var all: [Setting] = []
    if let fault = extras.fault {
      if fault.delayShare > 0 {
        all.append(Setting("fault.delay", "\(Self.duration(fault.delayMilliseconds)), \(Self.share(fault.delayShare))"))
      }
      if let abort = fault.abort {
        all.append(Setting("fault.abort", "\(abort.text), \(Self.share(fault.abortShare))"))
      }
    }
    if let cors = extras.cors { all += settings(of: cors) }
    if let prefix = extras.statPrefix { all.append(Setting("statPrefix", prefix)) }
    for mirror in extras.mirrors {
      let name = mirror.cluster >= 0 ? clusters[Int(mirror.cluster)].name : "no-cluster"
      all.append(Setting("mirror", "\(name), \(Self.share(mirror.share))"))
    }
    return all
  }

  private func settings(of cors: CORSRules) -> [Setting] {
    let origins = cors.origins.map { origin in
      switch origin {
      case .any: return "*"
      case .exact(let text): return "exact \(Self.text(text))"
      case .prefix(let text): return "prefix \(Self.text(text))"
      case .regex(let index): return "regex \(regexes.sources[Int(index)])"
      }
    }
    var all = [Setting("corsPolicy.allowOrigins", origins.joined(separator: ", "))]
    let lists = [
      ("allowMethods", cors.allowMethods), ("allowHeaders", cors.allowHeaders), ("exposeHeaders", cors.exposeHeaders),
      ("maxAge", cors.maxAge),
    ]
    for (name, value) in lists where !value.isEmpty { all.append(Setting("corsPolicy.\(name)", Self.text(value))) }
    if cors.allowCredentials { all.append(Setting("corsPolicy.allowCredentials", "true")) }
    if !cors.forwardsUnmatchedPreflights { all.append(Setting("corsPolicy.unmatchedPreflights", "IGNORE")) }
    return all
  }

  /// A share of a million as a percentage without needless digits: `12.5 %`.
  private static func share(_ share: Int32) -> String {
    let whole = Fault.whole / 100
    var fraction = String(Int(share) % whole + whole).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return "\(Int(share) / whole)\(fraction.isEmpty ? "" : ".\(fraction)") % of requests"
  }

  /// What is done to header fields for one destination.
  package func settings(of destination: Destination) -> [Setting] {
    settings(of: destination.requestHeaders, "headers.request")
      + settings(of: destination.responseHeaders, "headers.response")
  }

  private func settings(of rewrite: Rewrite) -> [Setting] {
    var all: [Setting] = []
    if let authority = rewrite.authority { all.append(Setting("rewrite.authority", Self.text(authority))) }
    switch rewrite.path {
    case .keep: break
    case .prefix(let count, let replacement):
      all.append(Setting("rewrite.uri", "\(Self.text(replacement)) for the first \(count) bytes"))
    case .whole(let replacement): all.append(Setting("rewrite.uri", Self.text(replacement)))
    case .regex(let regex, let replacement):
      let source = regexes.sources[Int(regex)].drop(prefix: "search:")
      all.append(Setting("rewrite.uriRegexRewrite", "\(Self.text(replacement)) for \(source)"))
    }
    return all
  }

  private func settings(of operations: Int32, _ prefix: String) -> [Setting] {
    guard operations >= 0 else { return [] }
    let list = headerOperations[Int(operations)]
    return list.remove.map { Setting("\(prefix).remove", Self.text($0)) }
      + list.set.map { Setting("\(prefix).set", "\(Self.text($0.name)): \(Self.text($0.value))") }
      + list.add.map { Setting("\(prefix).add", "\(Self.text($0.name)): \(Self.text($0.value))") }
  }

  static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// `10s`, `250ms`, as the resources write durations.
  static func duration(_ milliseconds: Int32) -> String {
    milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
  }
}

extension RetryPolicy {
  /// `2 attempts on connect-failure,refused-stream, perTryTimeout 2s`
  package var text: String {
    guard attempts > 0 else { return "none" }
    let names = Self.names.filter { !$0.value.isEmpty && conditions.isSuperset(of: $0.value) }.map(\.key).sorted()
    let codes = (400...599).filter { statuses.contains($0) }.map { "\($0)" }
    var text = "\(attempts) attempt\(attempts == 1 ? "" : "s") on \((names + codes).joined(separator: ","))"
    if perTryTimeoutMilliseconds > 0 { text += ", perTryTimeout \(Snapshot.duration(perTryTimeoutMilliseconds))" }
    if !ignoresPreviousHosts { text += ", also at hosts that were tried" }
    if prefersRemoteLocalities { text += ", at remote localities" }
    if backoffMilliseconds != Self.none.backoffMilliseconds {
      text += ", backoff \(Snapshot.duration(backoffMilliseconds))"
    }
    return text
  }
}

extension Fault.Abort {
  /// `503`, `grpc 14`
  var text: String {
    switch self {
    case .http(let status): return "\(status)"
    case .grpc(let code): return "grpc \(code)"
    }
  }
}

extension String {
  /// Without `prefix`, if it begins with it.
  func drop(prefix: String) -> String {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
  }
}
