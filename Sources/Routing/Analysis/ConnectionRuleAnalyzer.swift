import Resources

/// `tls` and `tcp` rules that are never used: the first rule that matches a connection takes it.
enum ConnectionRuleAnalyzer {
  /// An entry of a rule's match, or a rule without any.
  private struct Entry {
    /// The names of the handshake that it is for; a chain is chosen by the most specific of all, so a wildcard takes
    /// nothing from a name. nil: whatever the handshake says.
    let names: Set<String>?
    /// Each condition besides the names, as a text; all must hold.
    let conditions: Set<String>
    let gateways: Set<String>
    let location: SourceLocation

    /// Whether it takes every connection of another entry.
    func takes(_ other: Entry) -> Bool {
      guard conditions.isSubset(of: other.conditions), other.gateways.isSubset(of: gateways) else { return false }
      guard let names else { return true }
      return other.names.map { $0.isSubset(of: names) } ?? false
    }
  }

  static func analyze(_ context: AnalysisContext) -> [Diagnostic] {
    context.virtualServices.flatMap { service in
      let tls = service.spec.tls.map { rule in
        rule.match.map { match in
          entry(
            names: Set(match.sniHosts.map { $0.value.lowercased() }), port: match.port, labels: match.sourceLabels,
            namespace: match.sourceNamespace, subnets: match.destinationSubnets, source: nil,
            gateways: match.gateways, at: match.location, service)
        }
      }
      let tcp = service.spec.tcp.map { rule in
        let entries = rule.match.map { match in
          entry(
            names: nil, port: match.port, labels: match.sourceLabels, namespace: match.sourceNamespace,
            subnets: match.destinationSubnets, source: match.sourceSubnet, gateways: match.gateways,
            at: match.location, service)
        }
        let any = Entry(names: nil, conditions: [], gateways: gateways([], service), location: rule.location)
        return rule.match.isEmpty ? [any] : entries
      }
      return findings("tls", tls, service) + findings("tcp", tcp, service)
    }
  }

  private static func entry(
    names: Set<String>?, port: Located<Int>?, labels: [String: Located<String>], namespace: Located<String>?,
    subnets: [Located<String>], source: Located<String>?, gateways own: [Located<String>], at location: SourceLocation,
    _ service: Resource<VirtualService>
  ) -> Entry {
    var conditions = Set(labels.map { "label \($0.key)=\($0.value.value)" })
    if let port { conditions.insert("port \(port.value)") }
    if let namespace { conditions.insert("namespace \(namespace.value)") }
    if !subnets.isEmpty { conditions.insert("to \(subnets.map(\.value).sorted())") }
    if let source { conditions.insert("from \(source.value)") }
    return Entry(names: names, conditions: conditions, gateways: gateways(own, service), location: location)
  }

  private static func gateways(_ own: [Located<String>], _ service: Resource<VirtualService>) -> Set<String> {
    let named = own.isEmpty ? service.spec.gateways : own
    let all = named.map { GatewayReference.resolve($0.value, namespace: service.metadata.namespace) }
    return all.isEmpty ? ["mesh"] : Set(all)
  }

  /// IST0130 for a rule that is covered whole, IST0131 for one of its matches.
  private static func findings(
    _ kind: String, _ rules: [[Entry]], _ service: Resource<VirtualService>
  ) -> [Diagnostic] {
    var diagnostics: [Diagnostic] = []
    var earlier: [(text: String, rule: Int, entry: Entry)] = []
    for (rule, entries) in rules.enumerated() {
      var covered: [(match: Int, entry: Entry, cover: (text: String, rule: Int, entry: Entry))] = []
      for (match, entry) in entries.enumerated() {
        if let cover = earlier.first(where: { $0.entry.takes(entry) }) { covered.append((match, entry, cover)) }
        earlier.append(("\(kind)[\(rule)]", rule, entry))
      }
      guard let first = covered.first else { continue }
      if covered.count == entries.count, covered.allSatisfy({ $0.cover.rule != rule }) {
        diagnostics.append(
          MessageCatalog.finding(
            "IST0130",
            "VirtualService rule #\(rule) not used (\(first.cover.text) at \(first.cover.entry.location) takes all connections of \(kind)[\(rule)]).",
            at: first.entry.location, resource: service.description,
            help: "move it before \(first.cover.text), or remove it"))
        continue
      }
      for (match, entry, cover) in covered {
        diagnostics.append(
          MessageCatalog.finding(
            "IST0131",
            "VirtualService rule #\(rule) match #\(match) is not used (duplicate/overlapping match in rule \(cover.text) at \(cover.entry.location)).",
            at: entry.location, resource: service.description))
      }
    }
    return diagnostics
  }
}
