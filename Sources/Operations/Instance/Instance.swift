import CLinux
import Proxy
import Resources
import Routing
import Transport

/// One running instance: the control side of `run`. Its loop has the admin and health endpoints, the resolver, signals
/// and reloads; requests are the data plane's.
package final class Instance {
  package let options: InstanceOptions
  let log: ProcessLog
  let loop: EventLoop
  let source: ConfigurationSource
  private(set) var plane: DataPlane?
  private(set) var loaded: ConfigurationSource.Loaded
  private(set) var problems: [PublishProblem] = []
  /// Why the last reload was not taken over; empty when it was.
  private(set) var reloadErrors: [String] = []
  private(set) var reloads = (succeeded: 0, failed: 0)
  var isFailedByHand = false
  private(set) var isDraining = false
  /// There are no listeners any more, by the admin port's wish.
  private var hasDrainedListeners = false
  let startSeconds = TimeText.epochSeconds
  let startNanoseconds = shim_monotonic_nanoseconds()
  private let logWriter: LogWriter?
  private let accessLog: AccessLogFormat
  private var exitCode: Int32 = 0
  private var endpoints: AdminEndpoints?
  private var isFinishing = false

  /// Why an instance did not start.
  package struct StartFailure: Error {
    package let exitCode: Int32
    package let message: String
  }

  /// Loads the configuration and binds everything.
  package init(_ options: InstanceOptions) throws {
    log = ProcessLog(level: options.logLevel, isJSON: options.logIsJSON)
    source = ConfigurationSource(
      paths: options.paths, secrets: options.secrets, selection: options.selection, compiler: options.compiler)
    let signals = SignalHandler.open()
    loop = try EventLoop()
    loaded = try Self.load(source)
    var resolved = options
    resolved.plane.limits.descriptors = .raised()
    resolved.plane.workers = Self.workers(options, loaded.snapshot.settings)
    resolved.accessLog = Self.accessLogFormat(options, loaded.snapshot.settings)
    self.options = resolved
    accessLog = Self.accessLogFormat(options, loaded.snapshot.settings)
    let file = loaded.snapshot.settings.accessLogFile
    logWriter = accessLog == .off ? nil : try LogWriter(path: file?.isEmpty == false ? file : nil)
    report(loaded.diagnostics + loaded.certificates)
    report(loaded.rejected)
    reportLimits()
    if options.isStrict, let why = loaded.strictObjection {
      throw StartFailure(exitCode: ExitStatus.configuration, message: "\(why), and --strict is set")
    }
    try checkPublished()
    try startPlane()
    try startEndpoints()
    try startSignals(signals)
    try log.writeInBackground()
    ProcessMemory.releaseStartup()
  }

  /// Says it when there are fewer descriptors than connections that may be held.
  private func reportLimits() {
    let limits = options.plane.limits
    guard limits.maxConnections != .max, limits.maxConnections > limits.descriptors.clients else { return }
    log.log(
      .warning, "listener",
      "--max-connections is \(limits.maxConnections), but of \(limits.descriptors.total) descriptors at most \(limits.descriptors.clients) are for clients: raise the hard limit (ulimit -Hn)"
    )
  }

  private static func load(_ source: ConfigurationSource) throws -> ConfigurationSource.Loaded {
    switch source.load(generation: 1) {
    case .success(let loaded): return loaded
    case .failure(.unreadable(let paths)):
      throw StartFailure(exitCode: ExitStatus.noInput, message: "cannot read \(paths.joined(separator: ", "))")
    case .failure(.empty):
      throw StartFailure(
        exitCode: ExitStatus.noInput, message: "there are no resources in \(source.paths.joined(separator: ", "))")
    case .failure(.unknownInstance(let name, let known)):
      var message =
        name.isEmpty
        ? "which instance to run is not clear: name one with --instance, or say --label and --namespace"
        : "instance \"\(name)\" is not in the configuration"
      if let help = Suggestion.help(for: name, among: known) { message += "; \(help)" }
      if !known.isEmpty { message += " (declared: \(known.joined(separator: ", ")))" }
      throw StartFailure(exitCode: ExitStatus.configuration, message: message)
    }
  }

  /// A slip in the command line ends the start; that a Gateway is gone, or broken now, does not.
  private func checkPublished() throws {
    guard let slip = loaded.publishSlip else { return }
    throw StartFailure(exitCode: ExitStatus.usage, message: slip)
  }

  /// The command line's, else ProxyConfig's, else one a processor; fixed for the life of the process.
  private static func workers(_ options: InstanceOptions, _ settings: InstanceSettings) -> Int {
    if let workers = options.workers { return workers }
    if let concurrency = settings.concurrency, concurrency > 0 { return concurrency }
    return Processors.available
  }

  private static func accessLogFormat(_ options: InstanceOptions, _ settings: InstanceSettings) -> AccessLogFormat {
    if let format = options.accessLog { return format }
    if settings.accessLogFile?.isEmpty == true { return .off }
    return settings.accessLogIsJSON == true ? .json : .text
  }

  private func startPlane() throws {
    var planeOptions = options.plane
    planeOptions.accessLog = accessLog
    let log = log
    let writer = logWriter
    let plane = try DataPlane(
      options: planeOptions, control: loop,
      log: { level, component, message in log.log(Self.level(level), component, message) },
      writeAccessLog: { writer?.write($0) ?? true }, readFile: { FileSystem.read($0) })
    self.plane = plane
    take(plane.publish(loaded.snapshot))
    if loaded.snapshot.listeners.isEmpty {
      let identity = loaded.snapshot.identity
      let labels = identity.labels.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
      throw StartFailure(
        exitCode: ExitStatus.configuration,
        message: "no Gateway selects this instance (\(identity.namespace)/\(identity.name), labels \(labels))")
    }
    let failed = problems.filter(\.isBindFailure)
    if failed.count == loaded.snapshot.listeners.count, let first = failed.first {
      throw StartFailure(exitCode: ExitStatus.cannotBind, message: "\(first.subject): \(first.reason)")
    }
  }

  private static func level(_ level: WorkerServices.LogLevel) -> ProcessLog.Level {
    switch level {
    case .debug: return .debug
    case .info: return .info
    case .warning: return .warning
    case .error: return .error
    }
  }

  private func take(_ problems: [PublishProblem]) {
    self.problems = problems
    for problem in problems {
      log.log(.error, problem.isBindFailure ? "listener" : "tls", "\(problem.subject): \(problem.reason)")
    }
  }

  private func report(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics {
      let level: ProcessLog.Level =
        switch diagnostic.severity {
        case .error: .error
        case .warning: .warning
        case .info: .debug
        }
      let place = diagnostic.location.map { "\($0): " } ?? ""
      let help = diagnostic.help.map { " (\($0))" } ?? ""
      log.log(level, "config", "\(place)\(diagnostic.severity.label)[\(diagnostic.code)]: \(diagnostic.message)\(help)")
    }
  }

  /// Says each rejection once: not again by a reload that finds it unchanged.
  private func report(_ rejected: [RejectedResource], before: [RejectedResource] = []) {
    for resource in rejected where !before.contains(where: resource.isSame) {
      log.log(.error, "config", resource.summary)
    }
    for resource in before where !rejected.contains(where: { $0.name == resource.name }) {
      log.log(.info, "config", "\(resource.name) is not rejected any more")
    }
  }

  private func startEndpoints() throws {
    let endpoints = AdminEndpoints(instance: self)
    try endpoints.start()
    self.endpoints = endpoints
    let identity = loaded.snapshot.identity
    let unbound = Set(problems.filter(\.isBindFailure).map(\.subject))
    let serving = loaded.snapshot.listenerFacts.map(\.name).filter { !unbound.contains("listener \($0)") }
    log.log(
      .info, "main",
      "instance \(identity.namespace)/\(identity.name) serves \(serving.joined(separator: ", ")) with \(options.plane.workers) worker\(options.plane.workers == 1 ? "" : "s")"
    )
  }

  private func startSignals(_ descriptor: Int32) throws {
    var lastWasInterrupt = false
    _ = try SignalHandler(
      descriptor: descriptor, loop: loop,
      handle: { [unowned self] request in
        switch request {
        case .drain:
          if isDraining, lastWasInterrupt { return finish() }
          drain()
        case .reload: reload()
        case .reopenLogs: logWriter?.reopen()
        case .ignore(let name): log.log(.warning, "main", "signal \(name) means nothing here: ignored")
        }
      }, isInterrupt: { lastWasInterrupt = $0 })
  }

  /// Runs until the instance is told to end; returns the exit code.
  package func run() -> Int32 {
    loop.run()
    logWriter?.flush()
    log.finish()
    return exitCode
  }

  // MARK: Reload

  /// Reads everything anew. What is broken keeps its last good version, the rest takes effect at once. The whole old
  /// configuration goes on serving when files cannot be read, when nothing would be left to serve, and with `--strict`.
  func reload() {
    if let pipe = options.paths.first(where: { $0 == "-" || FileSystem.kind($0) == .special }) {
      let name = pipe == "-" ? "standard input" : pipe
      return refuse(["\(name) can be read only once; start the instance anew"], [])
    }
    switch source.load(generation: loaded.snapshot.generation + 1, after: loaded) {
    case .success(let fresh):
      if options.isStrict, fresh.strictObjection != nil {
        let errors = fresh.diagnostics.filter { $0.severity == .error } + fresh.unenforced
        return refuse(errors.map { "\($0.location.map { "\($0): " } ?? "")\($0.message)" }, fresh.diagnostics)
      }
      // A file that is empty for a moment, while it is written, must not close every socket.
      guard !fresh.snapshot.listeners.isEmpty else {
        return refuse(["no Gateway selects this instance any more"], fresh.diagnostics)
      }
      take(fresh)
    case .failure(.unreadable(let paths)): refuse(["cannot read \(paths.joined(separator: ", "))"], [])
    case .failure(.empty): refuse(["there are no resources in \(source.paths.joined(separator: ", "))"], [])
    case .failure(.unknownInstance(let name, _)):
      refuse(["instance \"\(name)\" is not in the configuration any more"], [])
    }
  }

  private func take(_ fresh: ConfigurationSource.Loaded) {
    let old = loaded
    loaded = fresh
    reloadErrors = []
    reloads.succeeded += 1
    report(Diagnostic.unseen(fresh.diagnostics + fresh.certificates, in: old.diagnostics + old.certificates))
    report(fresh.rejected, before: old.rejected)
    if let plane { take(plane.publish(fresh.snapshot)) }
    ProcessMemory.releaseStartup()
    let count = fresh.rejected.count
    let rest = count == 0 ? "" : ", without \(count) rejected resource\(count == 1 ? "" : "s")"
    log.log(.info, "config", "configuration \(fresh.snapshot.generation) is in force\(rest)")
  }

  private func refuse(_ errors: [String], _ diagnostics: [Diagnostic]) {
    reloads.failed += 1
    reloadErrors = errors
    report(diagnostics.filter { $0.severity == .error })
    log.log(
      .error, "config",
      "the configuration was not reloaded, the old one (\(loaded.snapshot.generation)) goes on serving: \(errors.first ?? "")"
    )
  }

  // MARK: Ending

  /// Readiness drops at once; requests in flight finish; then, or when patience ends, the process ends.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    log.log(.info, "main", "draining, for at most \(options.drainSeconds) s")
    plane?.drain { [unowned self] in finish() }
    _ = Alarm(on: loop, after: Int64(options.drainSeconds) * 1000) { [unowned self] in
      log.log(.warning, "main", "drain time is over, closing what is left")
      finish()
    }
  }

  /// Envoy's `/drain_listeners`: no new connections, clients that are there are asked to leave; the process goes on until
  /// TERM or `/quitquitquit`.
  ///
  /// - Parameter isGraceful: listeners stay open as long as requests are in flight.
  func drainListeners(isGraceful: Bool) {
    guard !isDraining, !hasDrainedListeners else { return }
    hasDrainedListeners = true
    log.log(.info, "main", "listeners are drained\(isGraceful ? ", when nothing is in flight" : "")")
    if !isGraceful { plane?.closeListeners() }
    plane?.drain { [unowned self] in if isGraceful { plane?.closeListeners() } }
  }

  /// Ends now: what is left is cut off, and logged.
  func finish() {
    guard !isFinishing else { return }
    isFinishing = true
    log.log(.info, "main", "end")
    guard let plane else { return loop.stop() }
    plane.closeListeners()
    plane.cutOff { [unowned self] in loop.stop() }
    // Nobody waits for a worker that does not answer.
    _ = Alarm(on: loop, after: 1000) { [unowned self] in loop.stop() }
  }

  // MARK: State

  var readiness: Readiness {
    Readiness.of(
      listeners: problems, isDraining: isDraining || hasDrainedListeners, isFailedByHand: isFailedByHand,
      probes: plane?.probeStates ?? [], unmade: loaded.snapshot.unmadeProbes)
  }

  var uptimeSeconds: Int64 { (shim_monotonic_nanoseconds() - startNanoseconds) / 1_000_000_000 }

  func reopenLogs() { logWriter?.reopen() }

  /// Lines of the access log that nobody could take.
  var lostLogLines: Int { logWriter?.lostLines ?? 0 }

  /// Counts anew.
  func resetCounters() {
    plane?.resetCounters()
    logWriter?.resetLostLines()
  }
}
