/// What a client and its upstream see of one request: the part of an explanation that can be compared with another.
package struct RequestOutcome: Sendable, Hashable {
  /// Where the request goes: clusters with their shares, a redirect, an answer, or where it ends.
  package let destination: String
  /// The kind of it, without what is particular to this request: `forward`, `redirect 301`, `no-route (404)`.
  package let kind: String
  /// How it is treated besides.
  package let settings: [Setting]
  /// The rule: `gateways/egress.yaml:31:5`; nil when none matched. It is said, not compared.
  package let location: String?

  /// The host alone decides, or the server name: no rule was asked.
  let isOfHost: Bool

  init(_ explanation: Explanation, _ snapshot: Snapshot) {
    isOfHost = [.noFilterChain, .noVirtualHost, .tlsRedirect].contains(explanation.error?.kind)
    location = explanation.rules.last.flatMap { $0.failure == nil ? $0.location : nil }
    var settings = explanation.settings.filter { !$0.name.hasPrefix("rewrite.") }
    switch explanation.answer {
    case nil:
      kind = explanation.error.map(Self.text) ?? "nothing"
      destination = kind
    case .redirect(let status, let place):
      kind = "redirect \(status)"
      destination = "\(kind) to \(place)"
    case .directResponse(let status, let count):
      kind = "direct response \(status)"
      destination = kind
      settings.append(Setting("body", Self.body(explanation, snapshot, count)))
    case .earlyResponse(let status, let cause):
      kind = "\(cause) \(status)"
      destination = kind
    case .forward(let steps):
      kind = "forward"
      destination = Self.text(steps)
      settings += Self.sent(steps)
      settings += Self.headers(explanation, snapshot)
    }
    self.settings = settings
  }

  private static func text(_ error: ExplainError) -> String {
    error.kind.rawValue + (error.status.map { " (\($0))" } ?? "")
  }

  /// Clusters with their shares as fractions in lowest terms, so that equal proportions are equal texts.
  private static func text(_ steps: [Explanation.DestinationStep]) -> String {
    let name = { (step: Explanation.DestinationStep) in step.cluster?.name ?? "no-cluster (503)" }
    let all = steps.filter { $0.weight > 0 }
    if all.count == 1 { return name(all[0]) }
    let divisor = all.reduce(0) { gcd($0, $1.weight) }
    return all.map { "\(name($0)) \($0.weight / divisor)/\($0.totalWeight / divisor)" }.joined(separator: ", ")
  }

  /// The greatest common divisor.
  static func gcd(_ left: Int, _ right: Int) -> Int { right == 0 ? left : gcd(right, left % right) }

  /// What the upstream receives; once when all destinations receive the same.
  private static func sent(_ steps: [Explanation.DestinationStep]) -> [Setting] {
    let texts = steps.filter { !$0.carriesBytes }.compactMap { step in
      step.sent.map { (step.cluster?.name ?? "", "\($0.method) \($0.target) Host \($0.authority)") }
    }
    if Set(texts.map(\.1)).count <= 1 { return texts.first.map { [Setting("sends", $0.1)] } ?? [] }
    return texts.map { Setting("sends to \($0.0)", $0.1) }
  }

  /// Header operations of single destinations.
  private static func headers(_ explanation: Explanation, _ snapshot: Snapshot) -> [Setting] {
    guard explanation.match.route >= 0 else { return [] }
    let route = snapshot.routes[Int(explanation.match.route)]
    return (route.firstDestination..<route.firstDestination + route.destinationCount).flatMap { index in
      let destination = snapshot.destinations[Int(index)]
      let name = destination.cluster >= 0 ? snapshot.clusters[Int(destination.cluster)].name : "no-cluster"
      return snapshot.settings(of: destination).map { Setting("\($0.name) to \(name)", $0.value) }
    }
  }

  private static func body(_ explanation: Explanation, _ snapshot: Snapshot, _ count: Int) -> String {
    guard count > 0, explanation.match.route >= 0 else { return "empty" }
    let index = Int(snapshot.routes[Int(explanation.match.route)].actionIndex)
    let body = snapshot.directResponses[index].body ?? []
    return count <= 60 ? Snapshot.text(body) : "\(count) bytes, \(Fingerprint.text(body))"
  }

  /// What differs in how two requests are treated; empty when nothing does. Settings of one kind of answer are nothing
  /// to compare with those of another.
  package static func changes(from old: RequestOutcome, to new: RequestOutcome) -> [ValueChange] {
    let destination =
      old.destination == new.destination ? [] : [ValueChange("destination", old.destination, new.destination)]
    return old.kind == new.kind ? destination + ValueChange.between(old.settings, new.settings) : destination
  }
}
