/// An explanation for people: one line a step, in the order of the request's path.
package struct ExplanationText {
  private var lines: [String] = []
  private static let labelWidth = 16

  /// The text of what several instances do with a request.
  package static func text(_ request: SampleRequest, _ explanations: [Explanation]) -> String {
    var text = ExplanationText()
    let name = request.isTLS ? request.serverName.map { "  SNI \($0)" } ?? "  no SNI" : ""
    text.lines.append(
      request.isHTTP
        ? "\(request.method) \(request.url)\(name)  Host \(request.authority)"
        : "\(request.url)\(name)" + places(request))
    for explanation in explanations {
      text.lines.append("")
      text.add(explanation, indent: "")
    }
    return text.lines.joined(separator: "\n") + "\n"
  }

  /// The addresses of a connection, as far as they are known.
  private static func places(_ request: SampleRequest) -> String {
    (request.source.map { "  from \($0)" } ?? "") + (request.address.map { "  to \($0)" } ?? "")
  }

  /// The text of one instance alone, as it is logged.
  package static func text(_ explanation: Explanation) -> String {
    var text = ExplanationText()
    text.add(explanation, indent: "")
    return text.lines.joined(separator: "\n") + "\n"
  }

  private mutating func line(_ indent: String, _ label: String, _ value: String) {
    let space = String(repeating: " ", count: max(1, Self.labelWidth - label.count))
    lines.append("\(indent)  \(label)\(space)\(value)")
  }

  private mutating func add(_ explanation: Explanation, indent: String) {
    lines.append("\(indent)\(explanation.instance)")
    if let listener = explanation.listener {
      let servers = listener.servers.joined(separator: ", ")
      line(indent, "listener", "\(listener.name)  port \(listener.declaredPort) of \(servers)")
    }
    if let chain = explanation.chain { addChain(chain, indent) }
    if let name = explanation.routeConfiguration { line(indent, "routes", name) }
    if let host = explanation.virtualHost {
      let services = host.virtualServices.isEmpty ? "" : "  from \(host.virtualServices.joined(separator: ", "))"
      line(indent, "virtual host", host.name + services)
    }
    for rule in explanation.rules { addRule(rule, indent) }
    for setting in explanation.settings { line(indent, setting.name, setting.value) }
    if let answer = explanation.answer { addAnswer(answer, indent) }
    for note in explanation.notes { line(indent, "note", note) }
    if let error = explanation.error {
      let status = error.status.map { "; status \($0)" } ?? ""
      line(indent, "✘ ends here", "\(error.kind.rawValue): \(error.message)\(status)")
    }
    guard case .forward(let destinations)? = explanation.answer else { return }
    for next in destinations.flatMap(\.next) {
      lines.append("")
      add(next, indent: indent + "  ")
    }
  }

  private mutating func addChain(_ chain: Explanation.ChainStep, _ indent: String) {
    line(indent, "filter chain", "SNI \(chain.serverNames.joined(separator: ","))  \(chain.tlsMode)  \(chain.server)")
    for certificate in chain.certificates {
      let summary = certificate.summary.map { "  \($0.text)" } ?? ""
      line(indent, "certificate", "\(certificate.name)\(summary)")
    }
  }

  private mutating func addRule(_ rule: RuleVerdict, _ indent: String) {
    let place = "\(rule.location)  \(rule.name)  \(rule.virtualService)"
    guard let failure = rule.failure else {
      line(indent, "✔ rule", "\(place)  \(rule.conditions)")
      return
    }
    line(indent, "✘ rule", "\(place)")
    line(indent, "", "\(failure.condition): wanted \(failure.wanted), had \(failure.had)")
  }

  // MARK: Answers

  private mutating func addAnswer(_ answer: Explanation.Answer, _ indent: String) {
    switch answer {
    case .redirect(let status, let location): line(indent, "redirect", "\(status) \(location)")
    case .directResponse(let status, let count): line(indent, "direct response", "\(status), \(count) bytes")
    case .earlyResponse(let status, let cause): line(indent, "answer", "\(status) by \(cause)")
    case .forward(let destinations):
      for destination in destinations { addDestination(destination, indent) }
    }
  }

  private mutating func addDestination(_ destination: Explanation.DestinationStep, _ indent: String) {
    let share = destination.totalWeight == 0 ? 0 : destination.weight * 100 / destination.totalWeight
    let unit = destination.carriesBytes ? "connections" : "requests"
    guard let cluster = destination.cluster else {
      return line(indent, "destination", "does not exist, \(share) % of \(unit)")
    }
    let settings = cluster.settings
    let subset = settings.subset.isEmpty ? "" : " subset \(settings.subset)"
    line(indent, "destination", "\(settings.host):\(settings.port)\(subset), \(share) % of \(unit)")
    let rule = settings.destinationRule.map { "  DestinationRule \($0)" } ?? ""
    line(
      indent, "cluster", "\(settings.name)  \(settings.discovery.rawValue) \(settings.balancingText)\(rule)")
    let endpoints = settings.endpointTexts
    line(indent, "endpoints", endpoints.isEmpty ? "none" : endpoints.joined(separator: ", "))
    if destination.carriesBytes {
      line(indent, "sends", "the client's bytes as they are")
    } else if let sent = destination.sent {
      line(indent, "sends", "\(settings.httpProtocol.rawValue)  \(sent.method) \(sent.target)  Host \(sent.authority)")
    }
    guard let tls = settings.tls else {
      return line(indent, "upstream TLS", destination.carriesBytes ? "none is added" : "none, plaintext")
    }
    let verified =
      tls.verifiedNames.isEmpty ? "verifies no name" : "verifies \(tls.verifiedNames.joined(separator: ", "))"
    let authority = tls.insecureSkipVerify ? "nothing is verified" : "\(verified), CA \(tls.authority.text)"
    line(indent, "upstream TLS", "\(tls.mode), \(tls.serverName.map { "SNI \($0)" } ?? "no SNI"), \(authority)")
  }
}
