import Resources

/// What few rules ask for: faults, CORS, copies of requests, kept bodies.
extension RouteBuilder {
  mutating func addExtras(
    _ http: HTTPRoute, _ match: HTTPMatch?, _ service: Resource<VirtualService>, _ port: Int, to route: inout Route
  ) {
    var extras = RouteExtras()
    if let fault = http.fault {
      extras.fault = compile(fault, service)
      route.features.insert(.fault)
    }
    if let policy = http.corsPolicy {
      extras.cors = compile(policy, service)
      route.features.insert(.cors)
    }
    extras.mirrors = http.mirrors.compactMap { compile($0, service, port) }
    if !extras.mirrors.isEmpty { route.features.insert(.mirrors) }
    if let prefix = match?.statPrefix?.value, !prefix.isEmpty {
      extras.statPrefix = prefix
      route.features.insert(.statistics)
    }
    if http.retries != nil, route.retryPolicy >= 0, parts.retryPolicies[Int(route.retryPolicy)].needsBody {
      route.features.insert(.keepsBody)
    }
    if hasOperators(route) { route.features.insert(.valueOperators) }
    guard extras != RouteExtras() else { return }
    if let index = parts.routeExtras.firstIndex(of: extras) {
      route.extras = Int32(index)
    } else {
      route.extras = Int32(parts.routeExtras.count)
      parts.routeExtras.append(extras)
    }
  }

  // MARK: Mirrors

  /// Without a percentage every request is copied; nil for 0, and when the destination does not exist.
  private func compile(_ mirror: HTTPMirror, _ service: Resource<VirtualService>, _ port: Int) -> Mirror? {
    guard let target = mirror.destination, let host = target.host else { return nil }
    let share = share(mirror.percentage?.value ?? 100)
    let cluster = clusters.cluster(
      for: .init(
        host: host, port: target.port, subset: target.subset, namespace: service.metadata.namespace,
        listenerPort: port, resource: service.description))
    return cluster >= 0 && share > 0 ? Mirror(cluster: cluster, share: share) : nil
  }

  // MARK: Header values

  private func hasOperators(_ route: Route) -> Bool {
    let first = Int(route.firstDestination)
    let destinations = parts.destinations[first..<first + Int(route.destinationCount)]
    let used =
      [route.requestHeaders, route.responseHeaders] + destinations.flatMap { [$0.requestHeaders, $0.responseHeaders] }
    return used.contains { $0 >= 0 && parts.headerOperations[Int($0)].hasOperators }
  }

  /// The fields of `set` or `add`; one with an unknown operator is left out.
  mutating func fields(
    _ map: [String: Located<String>], _ service: Resource<VirtualService>
  ) -> [HeaderOperations.Field] {
    var fields: [HeaderOperations.Field] = []
    for (name, text) in map.sorted(by: { $0.key < $1.key }) {
      guard mayBeEdited(name, at: text.location, service) else { continue }
      do {
        let (template, plain) = try HeaderTemplate.parse(text.value)
        fields.append(.init(name: Array(name.lowercased().utf8), value: plain, template: template))
      } catch {
        diagnostics.append(
          Diagnostic(
            "SP1052", .error, "unknown command operator %\(error.name)%", at: text.location,
            resource: service.description, help: "the header is left out; %% stands for a percent sign"))
      }
    }
    return fields
  }

  /// The names of `remove`.
  mutating func names(_ names: [Located<String>], _ service: Resource<VirtualService>) -> [[UInt8]] {
    names.filter { mayBeEdited($0.value, at: $0.location, service) }.map { Array($0.value.lowercased().utf8) }
  }

  /// Fields that say where a message ends, or what the connection is for. They are made anew for each connection: a rule
  /// that edits them would let one message be read as two.
  private static let framing: Set<String> = [
    "connection", "content-length", "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
  ]

  private mutating func mayBeEdited(
    _ name: String, at location: SourceLocation, _ service: Resource<VirtualService>
  ) -> Bool {
    guard Self.framing.contains(name.lowercased()) else { return true }
    diagnostics.append(
      Diagnostic(
        "SP1056", .error, "header \(name.lowercased()) belongs to the connection and cannot be edited", at: location,
        resource: service.description, help: "the operation is left out, the others of the rule hold"))
    return false
  }

  // MARK: Faults

  private mutating func compile(_ fault: HTTPFault, _ service: Resource<VirtualService>) -> Fault {
    var result = Fault()
    if let delay = fault.delay {
      result.delayMilliseconds = Int32(clamping: delay.fixedDelay?.value ?? 0)
      result.delayShare = share(delay.percentage?.value ?? 0)
      if delay.percentage == nil { warnOfMissingPercentage("delay", delay.fixedDelay?.location, service) }
    }
    if let abort = fault.abort {
      if let name = abort.grpcStatus?.value.uppercased(), let code = GRPCStatusName.code(of: name) {
        result.abort = .grpc(code)
      } else if let status = abort.httpStatus?.value {
        result.abort = .http(status)
      }
      result.abortShare = share(abort.percentage?.value ?? 0)
      if abort.percentage == nil {
        warnOfMissingPercentage("abort", (abort.httpStatus?.location ?? abort.grpcStatus?.location), service)
      }
    }
    return result
  }

  private mutating func warnOfMissingPercentage(
    _ kind: String, _ location: SourceLocation?, _ service: Resource<VirtualService>
  ) {
    diagnostics.append(
      Diagnostic(
        "SP1050", .warning, "fault.\(kind) without a percentage concerns no request", at: location,
        resource: service.description, help: "say percentage: {value: 100} for every request"))
  }

  /// Parts of `Fault.whole` for a percentage.
  func share(_ percentage: Double) -> Int32 {
    // `check` compiles what was refused, too.
    Int32((min(100, max(0, percentage)) * Double(Fault.whole) / 100).rounded())
  }

  // MARK: CORS

  private mutating func compile(_ policy: CORSPolicy, _ service: Resource<VirtualService>) -> CORSRules {
    var rules = CORSRules()
    for origin in policy.allowOrigins {
      switch origin.kind {
      case .exact(let text): rules.origins.append(text.value == "*" ? .any : .exact(Array(text.value.utf8)))
      case .prefix(let text): rules.origins.append(.prefix(Array(text.value.utf8)))
      case .regex(let text): if let index = regex(text, service) { rules.origins.append(.regex(index)) }
      case .present: break
      }
    }
    rules.allowMethods = joined(policy.allowMethods)
    rules.allowHeaders = joined(policy.allowHeaders)
    rules.exposeHeaders = joined(policy.exposeHeaders)
    if let age = policy.maxAge { rules.maxAge = Array("\(age.value / 1000)".utf8) }
    rules.allowCredentials = policy.allowCredentials?.value ?? false
    rules.forwardsUnmatchedPreflights = policy.unmatchedPreflights?.value != .ignore
    return rules
  }

  private func joined(_ list: [Located<String>]) -> [UInt8] {
    Array(list.map(\.value).joined(separator: ",").utf8)
  }
}

/// The names of gRPC's status codes.
enum GRPCStatusName {
  private static let names = [
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  ]

  /// The number of a status; nil for names that gRPC does not know.
  static func code(of name: String) -> Int? { names.firstIndex(of: name) }
}
