import Resources

/// Compares two configurations of one instance by what requests see: not how they are written, but where witness
/// requests go in each of them.
package struct SnapshotDiffer {
  let old: Explainer
  let new: Explainer
  private let inspect: CertificateInspector

  /// - Parameters:
  ///   - knowsSecrets: whether each side came with secrets.
  ///   - inspect: reads certificates.
  package init(
    old: Snapshot, new: Snapshot, knowsSecrets: (old: Bool, new: Bool) = (true, true),
    inspect: @escaping CertificateInspector = { _, _ in nil }
  ) {
    self.inspect = inspect
    self.old = Explainer(old, knowsSecrets: knowsSecrets.old)
    self.new = Explainer(new, knowsSecrets: knowsSecrets.new)
  }

  /// A listener of both sides.
  struct Pair {
    let old: Int32
    let new: Int32
  }

  /// All differences.
  package func compare() -> InstanceDifference {
    var difference = InstanceDifference(new.instance, .changed)
    let pairs = pairListeners(&difference)
    for pair in pairs {
      compareChains(pair, &difference)
      compareRequests(pair, &difference)
    }
    compareClusters(&difference)
    compareOthers(&difference)
    return difference
  }

  /// An instance that only one side has: its listeners are all there is to say.
  package static func onlyOne(_ snapshot: Snapshot, _ kind: NamedDifference.Kind) -> InstanceDifference {
    var difference = InstanceDifference(Explainer(snapshot).instance, kind)
    difference.listeners = snapshot.listenerFacts.indices.map {
      NamedDifference(name: text(snapshot, $0), kind: kind, changes: [])
    }
    return difference
  }

  // MARK: Listeners

  private static func text(_ snapshot: Snapshot, _ index: Int) -> String {
    let facts = snapshot.listenerFacts[index]
    return "\(facts.name) (port \(snapshot.listeners[index].declaredPort) of \(facts.servers.joined(separator: ", ")))"
  }

  /// Listeners of one name are the same; a port that moved to another socket is still compared, and said.
  private func pairListeners(_ difference: inout InstanceDifference) -> [Pair] {
    let (before, after) = (old.snapshot, new.snapshot)
    var pairs: [Pair] = []
    var paired: Set<Int> = []
    for (index, facts) in before.listenerFacts.enumerated() {
      let listener = before.listeners[index]
      let same = after.listenerFacts.indices.first { after.listenerFacts[$0].name == facts.name }
      let moved = after.listeners.indices.first { other in
        after.listeners[other].declaredPort == listener.declaredPort && after.listeners[other].kind == listener.kind
          && !before.listenerFacts.contains { $0.name == after.listenerFacts[other].name } && !paired.contains(other)
      }
      if same == nil { difference.listeners.append(.init(name: Self.text(before, index), kind: .removed, changes: [])) }
      guard let match = same ?? moved else { continue }
      paired.insert(match)
      pairs.append(Pair(old: Int32(index), new: Int32(match)))
      if after.listeners[match].kind != listener.kind {
        let change = ValueChange("protocol", "\(listener.kind)", "\(after.listeners[match].kind)")
        difference.listeners.append(.init(name: facts.name, kind: .changed, changes: [change]))
      }
    }
    for (index, facts) in after.listenerFacts.enumerated()
    where !before.listenerFacts.contains(where: { $0.name == facts.name }) {
      difference.listeners.append(.init(name: Self.text(after, index), kind: .added, changes: []))
    }
    return pairs
  }

  // MARK: Certificates

  private func compareChains(_ pair: Pair, _ difference: inout InstanceDifference) {
    let before = policies(old.snapshot, pair.old)
    let after = policies(new.snapshot, pair.new)
    let listener = new.snapshot.listenerFacts[Int(pair.new)].name
    for name in Set(before.keys).union(after.keys).sorted() {
      let label = "\(name) at \(listener)"
      switch (before[name], after[name]) {
      case (let left?, let right?) where left != right:
        let changes = ValueChange.between(left.described(inspect), right.described(inspect))
        difference.certificates.append(
          .init(
            name: label, kind: .changed,
            changes: changes.isEmpty ? [ValueChange("privateKey", "[redacted]", "[redacted]")] : changes))
      case (nil, let right?):
        difference.certificates.append(
          .init(name: label, kind: .added, changes: ValueChange.between([], right.described(inspect))))
      case (let left?, nil):
        difference.certificates.append(
          .init(name: label, kind: .removed, changes: ValueChange.between(left.described(inspect), [])))
      default: break
      }
    }
  }

  private func policies(_ snapshot: Snapshot, _ listener: Int32) -> [String: TLSServerPolicy] {
    var policies: [String: TLSServerPolicy] = [:]
    for (index, chain) in snapshot.filterChains.enumerated() where chain.listener == listener && chain.policy >= 0 {
      for name in snapshot.chainFacts[index].serverNames where policies[name] == nil {
        policies[name] = snapshot.policies[Int(chain.policy)]
      }
    }
    return policies
  }

  // MARK: Requests

  private func compareRequests(_ pair: Pair, _ difference: inout InstanceDifference) {
    // What becomes of a socket that changes between bytes and requests is said by its protocol.
    guard
      (old.snapshot.listeners[Int(pair.old)].kind == .tcp) == (new.snapshot.listeners[Int(pair.new)].kind == .tcp)
    else { return }
    var seen: [DifferenceKey: Int] = [:]
    var rules: [RuleChange: Int] = [:]
    let listener = new.snapshot.listenerFacts[Int(pair.new)].name
    for domain in domains(pair) {
      let (findings, unwitnessed) = findings(pair, domain)
      for change in unwitnessed {
        if let known = rules[change] {
          difference.rules[known].hosts.append(domain)
        } else {
          rules[change] = difference.rules.count
          difference.rules.append(RuleDifference(listener: listener, change: change, hosts: [domain]))
        }
      }
      for finding in findings {
        let key = DifferenceKey(finding.old, finding.new, finding.changes)
        if let known = seen[key] {
          if !difference.requests[known].hosts.contains(domain) { difference.requests[known].hosts.append(domain) }
          continue
        }
        seen[key] = difference.requests.count
        difference.requests.append(
          RequestDifference(
            listener: listener, witness: finding.witness, old: finding.old,
            new: finding.new, changes: finding.changes, hosts: [domain]))
      }
    }
  }

  private func findings(_ pair: Pair, _ domain: String) -> ([WitnessSearch.Finding], [RuleChange]) {
    if let connections = connectionWitnesses(pair, to: domain) { return (findings(connections, pair), []) }
    var search = WitnessSearch(
      old: .init(explainer: old, listener: pair.old), new: .init(explainer: new, listener: pair.new),
      base: request(to: domain, Int(pair.new)))
    search.run()
    return (search.findings, search.unwitnessed)
  }

  /// Requests between the same two rules differ in the same way; so do all requests to a host that one side does not
  /// route at all.
  private struct DifferenceKey: Hashable {
    let old: String
    let new: String
    let names: [String]

    init(_ old: RequestOutcome, _ new: RequestOutcome, _ changes: [ValueChange]) {
      let isOfHost = old.isOfHost || new.isOfHost
      self.old = isOfHost ? old.kind : old.location ?? old.kind
      self.new = isOfHost ? new.kind : new.location ?? new.kind
      names = changes.map(\.name)
    }
  }

  /// All names that the listener knows on either side, and one that nobody knows.
  private func domains(_ pair: Pair) -> [String] {
    var known: Set<String> = []
    return (domains(old.snapshot, pair.old) + domains(new.snapshot, pair.new) + ["*"]).filter {
      known.insert($0).inserted
    }
  }

  /// A plain request to a host that a domain stands for.
  private func request(to domain: String, _ index: Int) -> SampleRequest {
    let listener = new.snapshot.listeners[index]
    let host = Self.host(of: domain)
    let isTLS = listener.kind == .tls
    let port = Int(listener.publicPort)
    let usual = isTLS ? 443 : 80
    guard port > 0 else {
      var request = SampleRequest(isTLS: isTLS, port: usual, authority: host, target: "/")
      request.socketPath = socketPath(index)
      return request
    }
    let authority = port == usual ? host : "\(host):\(port)"
    return SampleRequest(isTLS: isTLS, port: port, authority: authority, target: "/")
  }

  /// The unix-domain socket that a listener of the new side binds; nil where it binds a port.
  func socketPath(_ index: Int) -> String? {
    let address = new.snapshot.listenerFacts[index].bindAddress
    return address.hasPrefix(HostRules.unixPrefix) ? String(address.dropFirst(HostRules.unixPrefix.count)) : nil
  }

  /// A name that a domain stands for.
  static func host(of domain: String) -> String {
    domain == "*" ? "witness.invalid" : domain.hasPrefix("*") ? "witness" + domain.dropFirst() : domain
  }

  /// All names that a listener knows: those of virtual hosts and of filter chains.
  private func domains(_ snapshot: Snapshot, _ index: Int32) -> [String] {
    var configurations: Set<Int32> = [snapshot.listeners[Int(index)].routeConfiguration]
    var names: [String] = []
    for (chain, facts) in zip(snapshot.filterChains, snapshot.chainFacts) where chain.listener == index {
      configurations.insert(chain.routeConfiguration)
      names += facts.serverNames
    }
    return snapshot.virtualHostFacts.filter { configurations.contains($0.routeConfiguration) }.map(\.domain) + names
  }

  // MARK: Upstreams and the rest

  private func compareClusters(_ difference: inout InstanceDifference) {
    let before = Dictionary(old.snapshot.clusters.map { ($0.name, $0.settings) }) { first, _ in first }
    let after = Dictionary(new.snapshot.clusters.map { ($0.name, $0.settings) }) { first, _ in first }
    let isNoticed = !difference.requests.isEmpty || !difference.listeners.isEmpty
    for name in Set(before.keys).union(after.keys).sorted() {
      switch (before[name].map(Self.comparable), after[name].map(Self.comparable)) {
      case (let left?, let right?) where left != right:
        let changes = ValueChange.between(
          left.described + left.undescribed, right.described + right.undescribed)
        // Keys are not described, and still matter.
        let all = changes.isEmpty ? [ValueChange("credentials", "[redacted]", "[redacted]")] : changes
        difference.clusters.append(.init(name: name, kind: .changed, changes: all))
      // One that no request notices comes from a rule that is never reached.
      case (nil, .some) where isNoticed: difference.clusters.append(.init(name: name, kind: .added, changes: []))
      case (.some, nil) where isNoticed: difference.clusters.append(.init(name: name, kind: .removed, changes: []))
      default: break
      }
    }
  }

  /// Which DestinationRule said it makes no difference to a request; neither does the order of endpoints.
  private static func comparable(_ settings: Cluster.Settings) -> Cluster.Settings {
    var settings = settings
    settings.destinationRule = nil
    settings.tls?.credentialName = nil
    settings.endpoints.sort { ($0.address, $0.port) < ($1.address, $1.port) }
    settings.dnsNames.sort { ($0.name, $0.port) < ($1.name, $1.port) }
    return settings
  }

  private func compareOthers(_ difference: inout InstanceDifference) {
    let changes = ValueChange.between(old.snapshot.settings.described, new.snapshot.settings.described)
    if !changes.isEmpty { difference.others.append(.init(name: "meshConfig", kind: .changed, changes: changes)) }
    let before = Dictionary(old.snapshot.probes.map { ($0.name, $0.described(old.snapshot)) }) { first, _ in first }
    let after = Dictionary(new.snapshot.probes.map { ($0.name, $0.described(new.snapshot)) }) { first, _ in first }
    for name in Set(before.keys).union(after.keys).sorted() where before[name] != after[name] {
      let kind: NamedDifference.Kind = before[name] == nil ? .added : after[name] == nil ? .removed : .changed
      difference.others.append(
        .init(
          name: "UpstreamProbe \(name)", kind: kind,
          changes: kind == .changed ? ValueChange.between(before[name] ?? [], after[name] ?? []) : []))
    }
  }
}
