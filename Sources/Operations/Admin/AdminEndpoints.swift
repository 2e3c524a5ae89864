import CLinux
import Proxy
import Routing
import Transport

/// The instance's own ports: admin on loopback with Envoy's paths, health, metrics.
final class AdminEndpoints {
  private unowned let instance: Instance
  private var services: [HTTPService] = []

  init(instance: Instance) {
    self.instance = instance
  }

  /// Binds 15000, 15021, 15020 and 15090, or where `--admin-base` and `--admin` put them.
  func start() throws {
    let base = instance.options.adminBase
    try bind(instance.options.admin, "admin") { [unowned self] in answerAdmin($0, $1) }
    let all =
      instance.options.compiler.bindAddress.flatMap { SocketAddress(literal: $0, port: 0) }
      ?? SocketAddress(v4: 0, port: 0)
    try bind(all.withPort(UInt16(clamping: base + 21)), "health") { [unowned self] in answerHealth($0, $1) }
    for offset in [20, 90] {
      try bind(all.withPort(UInt16(clamping: base + offset)), "metrics") { [unowned self] in answerMetrics($0, $1) }
    }
  }

  private func bind(_ address: SocketAddress, _ name: String, _ handler: @escaping HTTPService.Handler) throws {
    do {
      services.append(
        try HTTPService(
          loop: instance.loop, address: address,
          maxConnections: instance.options.plane.limits.descriptors.connectionsOfOwnPort, handler: handler))
    } catch {
      throw Instance.StartFailure(
        exitCode: ExitStatus.cannotBind, message: "\(name) port: \(error); --admin-base moves the ports")
    }
  }

  // MARK: Health and metrics

  private func answerHealth(_ request: ServiceRequest, _ reply: (ServiceReply) -> Void) {
    guard request.method == "GET" || request.method == "HEAD" else { return reply(Self.methodNotAllowed("GET")) }
    switch request.path {
    case "/healthz/live": reply(.text("live\n"))
    case "/healthz/ready": reply(readinessReply(request))
    default: reply(.text("not found\n", status: 404))
    }
  }

  private func readinessReply(_ request: ServiceRequest) -> ServiceReply {
    let readiness = instance.readiness
    let status = readiness.isReady ? 200 : 503
    if request.has("verbose") || request.header("accept")?.contains("application/json") == true {
      return .json(readiness.json, status: status)
    }
    let text = readiness.isReady ? "ready\n" : readiness.reasons.map { $0 + "\n" }.joined()
    return .text(text, status: status)
  }

  private func answerMetrics(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    guard request.method == "GET" || request.method == "HEAD" else { return reply(Self.methodNotAllowed("GET")) }
    guard request.path == "/stats/prometheus" || request.path == "/metrics" else {
      return reply(.text("not found\n", status: 404))
    }
    withStatistics {
      reply(ServiceReply(contentType: PrometheusText.contentType, body: Array(PrometheusText.write($0).utf8)))
    }
  }

  private func withStatistics(_ body: @escaping (Statistics) -> Void) {
    guard let plane = instance.plane else { return }
    plane.collect { [unowned self] reports in body(Statistics(reports: reports, instance: instance)) }
  }

  private static func methodNotAllowed(_ allowed: String) -> ServiceReply {
    var reply = ServiceReply.text("method not allowed, use \(allowed)\n", status: 405)
    reply.headers = [("allow", allowed)]
    return reply
  }

  // MARK: Admin

  /// What each path does; also the text of `/help`.
  private static let help: [(path: String, method: String, text: String)] = [
    ("/", "GET", "this list"), ("/help", "GET", "this list"), ("/ready", "GET", "LIVE, or why not (200 or 503)"),
    ("/server_info", "GET", "version, uptime, configuration and its problems"),
    ("/listeners", "GET", "sockets (?format=json)"), ("/clusters", "GET", "upstreams and endpoints (?format=json)"),
    ("/certs", "GET", "certificates with days left"),
    ("/config_dump", "GET", "the configuration in force, secrets redacted"),
    ("/stats", "GET", "counters (?usedonly&filter=REGEX&format=json|prometheus)"),
    ("/stats/prometheus", "GET", "counters for Prometheus"), ("/memory", "GET", "memory of the process"),
    ("/status", "GET", "a summary of the instance"),
    ("/logging", "POST", "levels of the process log (?level=NAME, ?COMPONENT=NAME)"),
    ("/explain", "POST", "a token for requests that shall explain themselves in the process log (?seconds=N)"),
    ("/drain_listeners", "POST", "close the listeners; ?graceful: when nothing is in flight. The process goes on"),
    ("/healthcheck/fail", "POST", "make readiness fail"), ("/healthcheck/ok", "POST", "take that back"),
    ("/reset_counters", "POST", "set counters to zero"), ("/reopen_logs", "POST", "open log files anew"),
    ("/reload", "POST", "read the configuration anew, as HUP does"), ("/quitquitquit", "POST", "end the process"),
  ]

  private func answerAdmin(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    guard let entry = Self.help.first(where: { $0.path == request.path }) else {
      return reply(.text("not found; GET /help lists what there is\n", status: 404))
    }
    guard request.method == entry.method || (request.method == "HEAD" && entry.method == "GET") else {
      return reply(Self.methodNotAllowed(entry.method))
    }
    if let problem = BrowserGuard.problem(with: request) { return reply(.text(problem + "\n", status: 403)) }
    if request.path == "/explain" { return issueExplainToken(request, reply) }
    if entry.method == "POST" { return reply(change(request)) }
    show(request, reply)
  }

  private func show(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    let isJSON = request.parameter("format") == "json"
    let dump = ConfigurationDump(instance: instance)
    switch request.path {
    case "/ready":
      let readiness = instance.readiness
      reply(
        readiness.isReady
          ? .text("LIVE\n") : .text(readiness.reasons.map { $0 + "\n" }.joined(), status: 503))
    case "/server_info": reply(.json(dump.serverInfo))
    case "/listeners": reply(isJSON ? .json(dump.listenerStatus) : .text(dump.listenerText))
    case "/config_dump": reply(.json(dump.everything))
    case "/certs": reply(.json(dump.certificates))
    case "/memory": reply(.json(MemoryReport.read()))
    case "/clusters": withStatistics { reply(isJSON ? .json($0.clustersJSON) : .text($0.clustersText)) }
    case "/stats", "/stats/prometheus": showStatistics(request, reply)
    case "/status": withStatistics { reply(.json(dump.status($0))) }
    default: reply(.text(Self.helpText))
    }
  }

  private func showStatistics(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    let filter = request.parameter("filter")
    let pattern = filter.flatMap { StatisticsFilter($0) }
    if filter != nil, pattern == nil { return reply(.text("invalid regex in filter\n", status: 400)) }
    let usedOnly = request.has("usedonly")
    let format = request.path == "/stats/prometheus" ? "prometheus" : request.parameter("format") ?? "text"
    withStatistics { statistics in
      let values = statistics.values.filter { (pattern?.matches($0.name) ?? true) && (!usedOnly || $0.value != 0) }
      let histograms = statistics.histograms.filter {
        (pattern?.matches($0.name) ?? true) && (!usedOnly || $0.isUsed)
      }
      switch format {
      case "prometheus":
        let text = PrometheusText.write(statistics, filter: pattern, usedOnly: usedOnly)
        reply(ServiceReply(contentType: PrometheusText.contentType, body: Array(text.utf8)))
      case "json":
        reply(
          .json(
            .object([
              (
                "stats",
                .array(
                  values.map { .object([("name", .string($0.name)), ("value", .number($0.value))]) }
                    + (histograms.isEmpty ? [] : [HistogramText.json(histograms)]))
              )
            ])))
      default:
        reply(
          .text(values.map { "\($0.name): \($0.value)\n" }.joined() + histograms.map(\.text).joined()))
      }
    }
  }

  private static var helpText: String {
    "admin commands are:\n" + help.map { "  \($0.path)\($0.method == "POST" ? " (POST)" : ""): \($0.text)\n" }.joined()
  }

  private func change(_ request: ServiceRequest) -> ServiceReply {
    switch request.path {
    case "/logging": return setLogging(request)
    case "/drain_listeners": instance.drainListeners(isGraceful: request.query.contains { $0.name == "graceful" })
    case "/healthcheck/fail": instance.isFailedByHand = true
    case "/healthcheck/ok": instance.isFailedByHand = false
    case "/reset_counters": instance.resetCounters()
    case "/reopen_logs": instance.reopenLogs()
    case "/reload":
      instance.reload()
      if !instance.reloadErrors.isEmpty {
        return .text(instance.reloadErrors.map { $0 + "\n" }.joined(), status: 400)
      }
      return .text("OK\n" + instance.loaded.rejected.map { $0.summary + "\n" }.joined())
    case "/quitquitquit": instance.finish()
    default: break
    }
    return .text("OK\n")
  }

  /// A token that is good for ten minutes, or as long as is asked for, up to a day.
  private func issueExplainToken(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    let text = request.parameter("seconds") ?? "600"
    guard let plane = instance.plane, let seconds = Int(text), (1...86_400).contains(seconds) else {
      return reply(.text("seconds is a number from 1 to 86400\n", status: 400))
    }
    var random = SystemRandomNumberGenerator()
    let token = (0..<4).map { _ in
      let digits = String(UInt32.random(in: .min ... .max, using: &random), radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
    plane.explain(token: Array(token.utf8), seconds: seconds) {
      reply(
        .json(
          .object([
            ("header", .string("x-sallyport-explain")), ("token", .string(token)),
            ("expires_in_seconds", .number(seconds)),
          ])))
    }
  }

  private func setLogging(_ request: ServiceRequest) -> ServiceReply {
    for (name, value) in request.query {
      guard let value, let level = ProcessLog.Level(name: value) else {
        return .text("unknown level \"\(value ?? "")\"\n", status: 400)
      }
      let component = name == "level" ? nil : name
      guard instance.log.setLevel(level, component: component) else {
        return .text(
          "unknown component \"\(name)\"; there are \(ProcessLog.components.joined(separator: ", "))\n", status: 400)
      }
    }
    return .text("active loggers:\n" + instance.log.levels.map { "  \($0.name): \($0.level.name)\n" }.joined())
  }
}
