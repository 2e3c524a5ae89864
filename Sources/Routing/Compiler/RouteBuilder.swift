import Resources

/// Turns the http rules of VirtualServices into rules, routes and destinations of the snapshot.
struct RouteBuilder {
  var parts = SnapshotParts()
  var diagnostics: [Diagnostic] = []
  let clusters: ClusterBuilder
  let identity: InstanceIdentity

  init(clusters: ClusterBuilder, identity: InstanceIdentity) {
    self.clusters = clusters
    self.identity = identity
  }

  /// A rule before it has a place in a virtual host.
  struct Draft {
    let rule: Rule
    /// Matches every request: such rules go to the end when several VirtualServices share a host.
    let isCatchAll: Bool
  }

  /// The rules that a VirtualService gives for a Gateway and port, in order.
  mutating func drafts(
    of service: Resource<VirtualService>, gateway: String, declaredPort: Int
  ) -> [Draft] {
    var drafts: [Draft] = []
    for route in service.spec.http {
      let matches = route.match.isEmpty ? [nil] : route.match.map { Optional($0) }
      for match in matches {
        guard applies(match, service, gateway: gateway, port: declaredPort) else { continue }
        if let draft = draft(route, match, service, declaredPort) { drafts.append(draft) }
      }
    }
    return drafts
  }

  /// Conditions that are known when the configuration is compiled.
  private func applies(
    _ match: HTTPMatch?, _ service: Resource<VirtualService>, gateway: String, port: Int
  ) -> Bool {
    RuleScope.failure(
      of: match.map(RuleScope.Conditions.init), in: service, gateway: gateway, port: port, identity: identity) == nil
  }

  private mutating func draft(
    _ route: HTTPRoute, _ match: HTTPMatch?, _ service: Resource<VirtualService>, _ port: Int
  ) -> Draft? {
    guard let path = path(match, service) else { return nil }
    let first = Int32(parts.predicates.count)
    guard addPredicates(match, service) else {
      parts.predicates.removeLast(parts.predicates.count - Int(first))
      return nil
    }
    let count = Int32(parts.predicates.count) - first
    let routeIndex = addRoute(route, match, service, port)
    let rule = Rule(
      path: path.kind, ignoresCase: match?.ignoreUriCase ?? false, acceptsConnect: match?.namesConnect ?? false,
      pathStart: path.start, pathCount: path.count, regex: path.regex, firstPredicate: first, predicateCount: count,
      route: routeIndex)
    let isRoot = path.kind == .any || (path.kind == .prefix && path.count == 1) || path.matchesAll
    return Draft(rule: rule, isCatchAll: isRoot && count == 0)
  }

  // MARK: Conditions

  private struct Path {
    var kind = Rule.PathMatch.any
    var start: Int32 = 0
    var count: Int32 = 0
    var regex: Int32 = -1
    var matchesAll = false
  }

  private mutating func path(_ match: HTTPMatch?, _ service: Resource<VirtualService>) -> Path? {
    guard let uri = match?.uri else { return Path() }
    var path = Path()
    switch uri.kind {
    case .present: return path
    case .exact(let text):
      path.kind = .exact
      (path.start, path.count) = store(text.value)
    case .prefix(let text):
      path.kind = .prefix
      (path.start, path.count) = store(text.value)
    case .regex(let text):
      path.kind = .regex
      path.matchesAll = text.value == ".*"
      guard let regex = regex(text, service) else { return nil }
      path.regex = regex
    }
    return path
  }

  private mutating func store(_ text: String) -> (Int32, Int32) {
    let start = Int32(parts.bytes.count)
    parts.bytes += Array(text.utf8)
    return (start, Int32(text.utf8.count))
  }

  mutating func regex(_ text: Located<String>, _ service: Resource<VirtualService>) -> Int32? {
    do {
      return try parts.regexes.add(text.value)
    } catch {
      diagnostics.append(
        Diagnostic(
          "IST0106", .error, "invalid regex \"\(text.value)\": \(error)", at: text.location,
          resource: service.description, help: "the rule is left out"))
      return nil
    }
  }

  private mutating func addPredicates(_ match: HTTPMatch?, _ service: Resource<VirtualService>) -> Bool {
    guard let match else { return true }
    var isGood = true
    for (subject, condition) in [
      (Predicate.Subject.scheme, match.scheme), (.method, match.method), (.authority, match.authority),
    ] {
      if let condition { isGood = add(subject, "", condition, false, service) && isGood }
    }
    for (name, condition) in match.headers {
      isGood = add(.header, name.value.lowercased(), condition, false, service) && isGood
    }
    for (name, condition) in match.withoutHeaders {
      isGood = add(.header, name.value.lowercased(), condition, true, service) && isGood
    }
    for (name, condition) in match.queryParams {
      isGood = add(.queryParameter, name.value, condition, false, service) && isGood
    }
    return isGood
  }

  private mutating func add(
    _ subject: Predicate.Subject, _ name: String, _ condition: StringMatch, _ isInverted: Bool,
    _ service: Resource<VirtualService>
  ) -> Bool {
    var comparison = Predicate.Comparison.present
    var value: (Int32, Int32) = (0, 0)
    var regexIndex: Int32 = -1
    switch condition.kind {
    case .present: break
    case .exact(let text):
      comparison = .exact
      value = store(text.value)
    case .prefix(let text):
      comparison = .prefix
      value = store(text.value)
    case .regex(let text):
      comparison = .regex
      guard let index = regex(text, service) else { return false }
      regexIndex = index
    }
    let stored = store(name)
    parts.predicates.append(
      Predicate(
        subject: subject, comparison: comparison, isInverted: isInverted, nameStart: stored.0, nameCount: stored.1,
        valueStart: value.0, valueCount: value.1, regex: regexIndex))
    return true
  }

  // MARK: Actions

  private mutating func addRoute(
    _ http: HTTPRoute, _ match: HTTPMatch?, _ service: Resource<VirtualService>, _ port: Int
  ) -> Int32 {
    var route = Route.none
    route.timeoutMilliseconds = Int32(clamping: http.timeout?.value ?? 0)
    route.retryPolicy = add(http.retries, service)
    route.requestHeaders = add(http.headers?.request, service)
    route.responseHeaders = add(http.headers?.response, service)
    route.rewrite = add(http.rewrite, match, service)
    if let redirect = http.redirect {
      route.action = .redirect
      route.actionIndex = add(redirect, match)
    } else if let direct = http.directResponse {
      route.action = .directResponse
      route.actionIndex = Int32(parts.directResponses.count)
      parts.directResponses.append(DirectResponse(status: direct.status?.value ?? 200, body: direct.body))
    } else {
      addDestinations(http, service, port, to: &route)
    }
    addExtras(http, match, service, port, to: &route)
    parts.routes.append(route)
    let names = [http.name?.value, match?.name?.value].compactMap { $0 }.filter { !$0.isEmpty }
    // Envoy calls a route without a name `default`.
    let name = names.isEmpty ? "default" : names.joined(separator: ".")
    parts.routeFacts.append(
      RouteFacts(
        name: name, nameBytes: Array(name.utf8), virtualService: service.reference,
        location: "\(match?.location ?? http.location)"))
    return Int32(parts.routes.count - 1)
  }

  private mutating func addDestinations(
    _ http: HTTPRoute, _ service: Resource<VirtualService>, _ port: Int, to route: inout Route
  ) {
    // One that the rule sets stands above those of its destinations.
    let setsAuthority =
      !(http.rewrite?.authority?.value ?? "").isEmpty
      || (route.requestHeaders >= 0 && parts.headerOperations[Int(route.requestHeaders)].setsAuthority)
    route.action = .forward
    route.firstDestination = Int32(parts.destinations.count)
    for destination in http.route {
      let weight = http.route.count == 1 ? 100 : destination.weight?.value ?? 0
      guard weight > 0, let target = destination.destination, let host = target.host else { continue }
      let cluster = clusters.cluster(
        for: .init(
          host: host, port: target.port, subset: target.subset, namespace: service.metadata.namespace,
          listenerPort: port, resource: service.description))
      let request = add(destination.headers?.request, service, keepsAuthority: !setsAuthority)
      let response = add(destination.headers?.response, service)
      parts.destinations.append(
        Destination(
          cluster: cluster, weight: UInt32(clamping: weight), requestHeaders: request, responseHeaders: response))
      route.destinationCount += 1
      route.totalWeight = UInt32(clamping: Int(route.totalWeight) + weight)
    }
    if route.destinationCount == 0 {
      // Everything had weight 0: as good as an unknown cluster.
      parts.destinations.append(Destination(cluster: -1, weight: 1, requestHeaders: -1, responseHeaders: -1))
      route.destinationCount = 1
      route.totalWeight = 1
    }
  }

  private mutating func add(_ retries: HTTPRetry?, _ service: Resource<VirtualService>) -> Int32 {
    guard let retries else { return add(RetryPolicy.istioDefault) }
    var policy = RetryPolicy.none
    policy.attempts = Int32(clamping: retries.attempts?.value ?? 0)
    policy.perTryTimeoutMilliseconds = Int32(clamping: retries.perTryTimeout?.value ?? 0)
    policy.backoffMilliseconds = Int32(clamping: retries.backoff?.value ?? 25)
    if let conditions = retries.retryOn {
      for word in conditions.value.split(separator: ",", omittingEmptySubsequences: false) {
        if !policy.add(condition: String(word)) {
          diagnostics.append(
            Diagnostic(
              "IST0106", .error, "\"\(word)\" is not a valid retryOn policy", at: conditions.location,
              resource: service.description,
              help: Suggestion.help(for: String(word), among: RetryPolicy.names.keys.sorted())))
        }
      }
    } else {
      policy.conditions = RetryPolicy.istioDefault.conditions
    }
    policy.ignoresPreviousHosts = retries.retryIgnorePreviousHosts?.value ?? true
    policy.prefersRemoteLocalities = retries.retryRemoteLocalities?.value ?? false
    return add(policy)
  }

  private mutating func add(_ policy: RetryPolicy) -> Int32 {
    if let index = parts.retryPolicies.firstIndex(of: policy) { return Int32(index) }
    parts.retryPolicies.append(policy)
    return Int32(parts.retryPolicies.count - 1)
  }

  private mutating func add(
    _ operations: Headers.Operations?, _ service: Resource<VirtualService>, keepsAuthority: Bool = true
  ) -> Int32 {
    guard let operations else { return -1 }
    var result = HeaderOperations(
      set: fields(operations.set, service), add: fields(operations.add, service),
      remove: names(operations.remove, service))
    if !keepsAuthority { result.removeAuthority() }
    if let index = parts.headerOperations.firstIndex(of: result) { return Int32(index) }
    parts.headerOperations.append(result)
    return Int32(parts.headerOperations.count - 1)
  }

  private mutating func add(
    _ rewrite: HTTPRewrite?, _ match: HTTPMatch?, _ service: Resource<VirtualService>
  ) -> Int32 {
    guard let rewrite else { return -1 }
    var result = Rewrite(path: .keep, authority: rewrite.authority.map { Array($0.value.utf8) })
    if result.authority?.isEmpty ?? false { result.authority = nil }
    if let uri = rewrite.uri, !uri.value.isEmpty {
      switch match?.uri?.kind {
      case .exact, .regex: result.path = .whole(Array(uri.value.utf8))
      case .prefix(let prefix): result.path = .prefix(count: prefix.value.utf8.count, with: Array(uri.value.utf8))
      // Without a condition on the path, the prefix that matched is "/" (Istio).
      case .present, nil: result.path = .prefix(count: 1, with: Array(uri.value.utf8))
      }
    } else if let pattern = rewrite.regexMatch, let replacement = rewrite.regexRewrite {
      if let regex = try? parts.regexes.add(pattern.value, anchored: false) {
        result.path = .regex(regex, with: Array(replacement.value.utf8))
      } else {
        diagnostics.append(
          Diagnostic(
            "IST0106", .error, "invalid regex \"\(pattern.value)\"", at: pattern.location, resource: service.description
          ))
      }
    }
    parts.rewrites.append(result)
    return Int32(parts.rewrites.count - 1)
  }

  private mutating func add(_ redirect: HTTPRedirect, _ match: HTTPMatch?) -> Int32 {
    var port = Redirect.Port.keep
    if let number = redirect.port?.value { port = .number(number) }
    switch redirect.derivePort?.value {
    case .protocolDefault: port = .protocolDefault
    case .requestPort: port = .requestPort
    case nil: break
    }
    var matched = 0
    if case .prefix(let prefix)? = match?.uri?.kind { matched = prefix.value.utf8.count }
    parts.redirects.append(
      Redirect(
        status: redirect.redirectCode?.value ?? 301, scheme: redirect.scheme?.value,
        authority: redirect.authority.map { Array($0.value.utf8) }, port: port,
        path: redirect.uri.map { Array($0.value.utf8) },
        prefixRewrite: redirect.prefixRewrite.map { Array($0.value.utf8) },
        matchedPrefixCount: matched))
    return Int32(parts.redirects.count - 1)
  }
}

extension RetryPolicy {
  /// The names of `retryOn`.
  static let names: [String: Conditions] = [
    "5xx": .serverError, "gateway-error": .gatewayError, "reset": .reset, "reset-before-request": .resetBeforeRequest,
    "connect-failure": .connectFailure, "retriable-4xx": .retriable4xx, "refused-stream": .refusedStream,
    "retriable-status-codes": .retriableStatusCodes, "envoy-ratelimited": .rateLimited, "cancelled": .grpcCancelled,
    "deadline-exceeded": .grpcDeadlineExceeded, "internal": .grpcInternal,
    "resource-exhausted": .grpcResourceExhausted, "unavailable": .grpcUnavailable,
    "retriable-headers": .retriableHeaders, "http3-post-connect-failure": [],
  ]

  /// Adds the conditions of a request's `x-envoy-retry-on`, or of `x-envoy-retry-grpc-on`; others mean nothing there.
  package mutating func add(fieldValue text: String, isGRPC: Bool) {
    for word in text.split(separator: ",") {
      guard let known = Self.names[String(word)], Conditions.grpc.isSuperset(of: known) == isGRPC else { continue }
      conditions.formUnion(known)
    }
  }

  /// Adds a condition or a status; false when it is neither.
  mutating func add(condition: String) -> Bool {
    if let known = Self.names[condition] {
      conditions.insert(known)
      return true
    }
    guard let status = Int(condition), (100...599).contains(status) else { return false }
    conditions.insert(.retriableStatusCodes)
    statuses.insert(status)
    return true
  }
}

extension HTTPMatch {
  /// Names CONNECT as the method. A pattern that CONNECT happens to fit does not: a tunnel is not opened by accident.
  var namesConnect: Bool {
    if case .exact(let text)? = method?.kind { return text.value == "CONNECT" }
    return false
  }
}

/// How VirtualServices name Gateways.
enum GatewayReference {
  /// `namespace/name`, or `mesh`.
  static func resolve(_ reference: String, namespace: String) -> String {
    if reference == "mesh" { return reference }
    if let slash = reference.firstIndex(of: "/") {
      let prefix = reference[..<slash]
      return prefix == "." ? "\(namespace)/\(reference[reference.index(after: slash)...])" : reference
    }
    let parts = reference.split(separator: ".")
    // The legacy form `name.namespace` or `name.namespace.svc.cluster.local`.
    if parts.count == 2 || (parts.count > 2 && parts[2] == "svc") { return "\(parts[1])/\(parts[0])" }
    return "\(namespace)/\(reference)"
  }
}
