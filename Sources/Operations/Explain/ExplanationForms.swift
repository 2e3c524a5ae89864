import Routing

/// Explanations for machines, with Istio's and Envoy's names.
package enum ExplanationForms {
  /// What several instances do with a request.
  package static func json(_ request: SampleRequest, _ explanations: [Explanation]) -> JSON {
    .object([("request", json(request)), ("instances", .array(explanations.map(json)))])
  }

  /// A request with the curl line that makes it.
  static func json(_ request: SampleRequest) -> JSON {
    guard request.isHTTP else { return connection(request) }
    return .object([
      ("method", .string(request.method)), ("url", .string(request.url)), ("authority", .string(request.authority)),
      ("sni", .optional(request.serverName)), ("port", .number(request.port)), ("path", .string(request.target)),
      (
        "headers",
        .array(
          request.fields.map { .object([("name", .string($0.name)), ("value", .string($0.value))]) })
      ), ("curl", .string(request.curl)),
    ])
  }

  /// A connection, with the line that makes it.
  private static func connection(_ request: SampleRequest) -> JSON {
    .object([
      ("url", .string(request.url)), ("sni", .optional(request.serverName)), ("port", .number(request.port)),
      ("address", .optional(request.address.map { "\($0)" })), ("source", .optional(request.source.map { "\($0)" })),
      ("alpn", .strings(request.protocols)), ("command", .string(request.command)),
    ])
  }

  private static func json(_ explanation: Explanation) -> JSON {
    var fields: [(String, JSON)] = [("instance", .string(explanation.instance))]
    fields.append(("listener", explanation.listener.map(json) ?? .null))
    fields.append(("filterChain", explanation.chain.map(json) ?? .null))
    fields.append(("routeConfiguration", .optional(explanation.routeConfiguration)))
    fields.append(
      (
        "virtualHost",
        explanation.virtualHost.map { host in
          .object([
            ("name", .string(host.name)), ("domains", .strings([host.domain])),
            ("virtualServices", .strings(host.virtualServices)),
          ])
        } ?? .null
      ))
    fields.append(("rules", .array(explanation.rules.map(json))))
    fields.append(("route", explanation.rules.last.flatMap { $0.failure == nil ? json($0) : nil } ?? .null))
    fields.append(
      ("settings", .object(explanation.settings.map { ($0.name, .string($0.value)) })))
    fields += answer(explanation.answer)
    fields.append(("notes", .strings(explanation.notes)))
    fields.append(("error", explanation.error.map(json) ?? .null))
    return .object(fields)
  }

  // MARK: Steps

  private static func json(_ listener: Explanation.ListenerStep) -> JSON {
    .object([
      ("name", .string(listener.name)), ("port", .number(listener.declaredPort)),
      ("bindPort", .number(listener.bindPort)), ("servers", .strings(listener.servers)),
    ])
  }

  private static func json(_ chain: Explanation.ChainStep) -> JSON {
    .object([
      ("serverNames", .strings(chain.serverNames)), ("server", .string(chain.server)),
      ("tlsMode", .string(chain.tlsMode)),
      (
        "secrets",
        .array(
          chain.certificates.map {
            .object([
              ("name", .string($0.name)), ("source", .string($0.source)), ("summary", .optional($0.summary?.text)),
              ("isForServerName", $0.summary.map { .bool($0.isForServerName) } ?? .null),
            ])
          })
      ),
    ])
  }

  private static func json(_ rule: RuleVerdict) -> JSON {
    .object([
      ("name", .string(rule.name)), ("virtualService", .string(rule.virtualService)),
      ("location", .string(rule.location)), ("match", .string(rule.conditions)),
      ("matched", .bool(rule.failure == nil)),
      (
        "failed",
        rule.failure.map {
          .object([
            ("condition", .string($0.condition)), ("wanted", .string($0.wanted)), ("had", .string($0.had)),
          ])
        } ?? .null
      ),
    ])
  }

  private static func json(_ error: ExplainError) -> JSON {
    .object([
      ("kind", .string(error.kind.rawValue)), ("message", .string(error.message)),
      ("status", error.status.map { .number($0) } ?? .null),
    ])
  }

  // MARK: Answers

  private static func answer(_ answer: Explanation.Answer?) -> [(String, JSON)] {
    switch answer {
    case nil: return [("action", .null)]
    case .redirect(let status, let location):
      return [
        ("action", .string("redirect")), ("status", .number(status)), ("location", .string(location)),
      ]
    case .directResponse(let status, let bytes):
      return [("action", .string("directResponse")), ("status", .number(status)), ("bodyBytes", .number(bytes))]
    case .earlyResponse(let status, let cause):
      return [("action", .string(cause)), ("status", .number(status))]
    case .forward(let destinations):
      let carriesBytes = destinations.first?.carriesBytes ?? false
      return [
        ("action", .string(carriesBytes ? "tcpProxy" : "forward")), ("destinations", .array(destinations.map(json))),
      ]
    }
  }

  private static func json(_ destination: Explanation.DestinationStep) -> JSON {
    .object([
      ("cluster", destination.cluster.map { json($0.settings) } ?? .null), ("weight", .number(destination.weight)),
      ("totalWeight", .number(destination.totalWeight)),
      ("sends", destination.carriesBytes ? .null : destination.sent.map(json) ?? .null),
      ("next", .array(destination.next.map(json))),
    ])
  }

  private static func json(_ settings: Cluster.Settings) -> JSON {
    .object([
      ("name", .string(settings.name)), ("fqdn", .string(settings.host)), ("port", .number(Int(settings.port))),
      ("subset", .string(settings.subset)), ("type", .string(settings.discovery.rawValue)),
      ("lbPolicy", .string(settings.balancingText)), ("protocol", .string(settings.httpProtocol.rawValue)),
      ("destinationRule", .optional(settings.destinationRule)), ("endpoints", .strings(settings.endpointTexts)),
      (
        "tls",
        settings.tls.map { tls in
          .object([
            ("mode", .string(tls.mode)), ("sni", .optional(tls.serverName)),
            ("verifiedNames", .strings(tls.verifiedNames)), ("insecureSkipVerify", .bool(tls.insecureSkipVerify)),
            ("problem", .optional(tls.problem)),
          ])
        } ?? .null
      ),
    ])
  }
}
