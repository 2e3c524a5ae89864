import Resources

/// Rules that are never used because earlier ones take all their requests.
enum UnreachableRuleAnalyzer {
  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap(withinService) + acrossServices(context)
  }

  /// The entries of a VirtualService, rule by rule.
  private static func entries(_ service: Resource<VirtualService>) -> [[RuleCoverage.Entry]] {
    service.spec.http.enumerated().map { rule, route in
      guard !route.match.isEmpty else {
        return [RuleCoverage.Entry(nil, of: service, rule: rule, index: 0, at: route.location)]
      }
      return route.match.enumerated().map { index, match in
        RuleCoverage.Entry(match, of: service, rule: rule, index: index, at: match.location)
      }
    }
  }

  /// IST0130 for a rule that is covered whole, IST0131 for one of its matches.
  private static func withinService(_ service: Resource<VirtualService>) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    var coverage = RuleCoverage()
    for (rule, entries) in entries(service).enumerated() {
      var covers: [(entry: RuleCoverage.Entry, cover: RuleCoverage.Entry)] = []
      for entry in entries {
        if let cover = coverage.cover(of: entry) { covers.append((entry, cover)) }
        coverage.insert(entry)
      }
      guard let first = covers.first else { continue }
      if covers.count == entries.count, covers.allSatisfy({ !isSame(rule, $0.cover) }) {
        diagnostics.append(
          MessageCatalog.finding(
            "IST0130",
            "VirtualService rule \(name(rule, service)) not used (\(first.cover.text) at \(first.cover.location) takes all its requests).",
            at: first.entry.location, resource: service.description,
            help: help(first.entry, first.cover) ?? "move it before \(first.cover.text), or remove it"))
      } else {
        for (entry, cover) in covers {
          diagnostics.append(
            MessageCatalog.finding(
              "IST0131",
              "VirtualService rule \(name(rule, service)) match \(matchName(entry, rule, service)) is not used (duplicate/overlapping match in rule \(cover.text) at \(cover.location)).",
              at: entry.location, resource: service.description, help: help(entry, cover)))
        }
      }
      for (entry, cover) in covers where slash(entry, cover) != nil {
        diagnostics.append(prefixWithoutSlash(entry, cover, service))
      }
    }
    return diagnostics
  }

  /// A rule as Istio's messages call it: its name in quotes, or its position.
  private static func name(_ rule: Int, _ service: Resource<VirtualService>) -> String {
    service.spec.http[rule].name.map { "\"\($0.value)\"" } ?? "#\(rule)"
  }

  private static func matchName(
    _ entry: RuleCoverage.Entry, _ rule: Int, _ service: Resource<VirtualService>
  ) -> String {
    let matches = service.spec.http[rule].match
    guard let index = matches.firstIndex(where: { $0.location == entry.location }) else { return "#0" }
    return matches[index].name.map { "\"\($0.value)\"" } ?? "#\(index)"
  }

  private static func isSame(_ rule: Int, _ cover: RuleCoverage.Entry) -> Bool {
    cover.text == "http[\(rule)]" || cover.text.hasPrefix("http[\(rule)].")
  }

  // MARK: Prefixes

  /// The prefix and the path that it takes by accident: `/api` and `/apidocs`.
  private static func slash(_ entry: RuleCoverage.Entry, _ cover: RuleCoverage.Entry) -> (prefix: String, path: String)?
  {
    guard case .prefix(let prefix) = cover.path, !prefix.hasSuffix("/"), !cover.isPattern, !entry.isPattern else {
      return nil
    }
    let path: String
    switch entry.path {
    case .exact(let text), .prefix(let text): path = text
    case .any, .regex: return nil
    }
    let next = path.dropFirst(prefix.count).first
    return next == nil || next == "/" ? nil : (prefix, path)
  }

  private static func help(_ entry: RuleCoverage.Entry, _ cover: RuleCoverage.Entry) -> String? {
    slash(entry, cover).map { "the prefix \"\($0.prefix)\" also takes \"\($0.path)\": did you mean \"\($0.prefix)/\"?" }
  }

  private static func prefixWithoutSlash(
    _ entry: RuleCoverage.Entry, _ cover: RuleCoverage.Entry, _ service: Resource<VirtualService>
  ) -> Diagnostic {
    let texts = slash(entry, cover) ?? ("", "")
    return MessageCatalog.finding(
      "SP1022", "prefix \"\(texts.0)\" also takes \"\(texts.1)\", which \(entry.text) at \(entry.location) is for",
      at: cover.pathLocation, resource: service.description,
      help: "write \"\(texts.0)/\", with an exact match for \"\(texts.0)\" beside it")
  }

  // MARK: Several VirtualServices on one host

  /// Where a host's rules come from several VirtualServices, those that take everything go to the end.
  private static func acrossServices(_ context: AnalysisContext) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    for (gateway, host, services) in shared(context) {
      var coverage = RuleCoverage()
      var catchAll: (entry: RuleCoverage.Entry, service: Resource<VirtualService>)?
      var owners: [SourceLocation: String] = [:]
      for service in services {
        let own = entries(service).flatMap { $0 }.filter { $0.gateways.contains(gateway) }.map { entry in
          RuleCoverage.Entry(
            path: entry.path, ignoresCase: entry.ignoresCase, isPattern: entry.isPattern,
            isForConnect: entry.isForConnect,
            conditions: entry.conditions, gateways: [gateway], text: entry.text, location: entry.location,
            pathLocation: entry.pathLocation)
        }
        for entry in own {
          let cover = entry.isCatchAll ? catchAll?.entry : coverage.cover(of: entry)
          guard let cover, let owner = owners[cover.location] else { continue }
          diagnostics.append(
            MessageCatalog.finding(
              "SP1021",
              "\(entry.text) is not used for \(host): \(cover.text) of \(owner) at \(cover.location) takes all its requests",
              at: entry.location, resource: service.description,
              help: "put the rules of \(host) into one VirtualService"))
        }
        for entry in own {
          owners[entry.location] = service.description
          if !entry.isCatchAll {
            coverage.insert(entry)
          } else if catchAll == nil {
            catchAll = (entry, service)
          }
        }
      }
    }
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }
  }

  /// Hosts of servers of Gateways that more than one VirtualService has.
  private static func shared(
    _ context: AnalysisContext
  ) -> [(gateway: String, host: String, services: [Resource<VirtualService>])] {
    var byKey: [String: Int] = [:]
    var result: [(gateway: String, host: String, services: [Resource<VirtualService>])] = []
    for service in context.virtualServices {
      for reference in service.spec.gateways {
        guard let gateway = context.gateway(reference.value, from: service.metadata.namespace) else { continue }
        for host in service.spec.hosts {
          let name = HostName.expand(host.value, namespace: service.metadata.namespace)
          for (position, server) in gateway.spec.servers.enumerated() where admits(server, gateway, service, name) {
            let key = "\(gateway.reference) \(position) \(name)"
            guard let index = byKey[key] else {
              byKey[key] = result.count
              result.append((gateway.reference, name, [service]))
              continue
            }
            // A name and its short form in one VirtualService are the same rules.
            if result[index].services.last?.reference != service.reference { result[index].services.append(service) }
          }
        }
      }
    }
    return result.filter { $0.services.count > 1 }
  }

  /// Whether the rules of a VirtualService for a host come to a server: it has the host for its namespace.
  private static func admits(
    _ server: GatewayServer, _ gateway: Resource<Gateway>, _ service: Resource<VirtualService>, _ name: String
  ) -> Bool {
    let place = ListenerBuilder.Server(gateway: gateway, server: server, port: 0)
    return server.hosts.contains { host in
      VirtualHostBuilder.accepts(host.value, service, place)
        && HostName.intersection(ListenerBuilder.Server.dnsName(host.value).lowercased(), name) != nil
    }
  }
}
