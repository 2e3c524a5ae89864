import ArgumentParser
import Operations
import Proxy
import Transport

/// `sallyport run`
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run one instance.",
    discussion: """
      sallyport run gateways/ --instance httpbin-egress
      sallyport run gateways/ --label istio=ingressgateway --namespace istio-system
      """)

  @OptionGroup var identity: IdentityFlags

  @Option(help: "Worker threads (default: the processors that this process may use).")
  var workers: Int?

  @Option(help: ArgumentHelp("The admin endpoints' address.", valueName: "address:port"))
  var admin: String?

  @Option(help: "Moves the ports 15000, 15020, 15021 and 15090 to N, N+20, N+21 and N+90.")
  var adminBase = 15000

  @Flag(
    help: "Refuse a configuration with errors, or with policies that are not enforced, instead of going on without.")
  var strict = false

  @Option(
    help: "trace, debug, info, warning, error or off.",
    completion: .list(["trace", "debug", "info", "warning", "error", "off"]))
  var logLevel = "info"

  @Option(help: "The form of the process log: text or json.", completion: .list(["text", "json"]))
  var logFormat = "text"

  @Option(help: ArgumentHelp("How long requests in flight may take to finish.", valueName: "seconds"))
  var drain = 30

  @Option(help: "The access log on standard output: text, json or off.")
  var accessLog: AccessLogFormat?

  @Option(
    help: ArgumentHelp(
      "Connect to ADDRESS instead of HOST at PORT; repeat for more.", valueName: "host:port:address[:port]"))
  var resolve: [String] = []

  @Option(help: ArgumentHelp("A name server; repeat for more.", valueName: "address:port"))
  var dnsServer: [String] = []

  @Option(help: ArgumentHelp("From the first byte of a request to the end of its head.", valueName: "seconds"))
  var headerTimeout = 15.0

  @Option(help: ArgumentHelp("Without anything moving on a client's connection.", valueName: "seconds"))
  var idleTimeout = 3600.0

  @Option(help: ArgumentHelp("For a request whose client neither sends nor takes what is due.", valueName: "seconds"))
  var streamIdleTimeout = 300.0

  @Option(help: "Client connections at a time (default: what the limit of descriptors allows).")
  var maxConnections: Int?

  @Option(help: "TLS handshakes in progress at a time, for each worker.")
  var maxHandshakes = 2048

  @Option(help: "Bytes of a message head.")
  var maxHeaderBytes = 60 * 1024

  @Option(help: "Fields of a message head.")
  var maxHeaderCount = 100

  @Option(help: "Bytes of a request line.")
  var maxRequestLineBytes = 32 * 1024

  func validate() throws {
    _ = try options
  }

  func run() throws {
    let instance: Instance
    do {
      instance = try Instance(try options)
    } catch let failure as Instance.StartFailure {
      fail(failure.message, failure.exitCode)
    } catch let error as SystemError {
      fail("\(error)", ExitStatus.unavailable)
    }
    let code = instance.run()
    throw ExitCode(code)
  }

  private var options: InstanceOptions {
    get throws {
      var options = InstanceOptions()
      options.paths = identity.paths
      options.selection = try identity.selection
      options.secrets = identity.secrets
      options.compiler = try identity.compilerOptions
      options.plane = try planeOptions
      try FlagRules.check(workers, "--workers", in: 1...1024)
      options.workers = workers
      options.accessLog = accessLog
      options.adminAddress = try admin.map { try Self.address($0, "--admin") }
      try FlagRules.checkAdminBase(adminBase)
      options.adminBase = adminBase
      options.isStrict = strict
      try FlagRules.check(drain, "--drain", in: 0...86_400)
      options.drainSeconds = drain
      guard let level = ProcessLog.Level(name: logLevel) else {
        throw ValidationError("--log-level \(logLevel) is unknown")
      }
      options.logLevel = level
      guard logFormat == "text" || logFormat == "json" else { throw ValidationError("--log-format is text or json") }
      options.logIsJSON = logFormat == "json"
      return options
    }
  }

  private var planeOptions: DataPlaneOptions {
    get throws {
      var options = DataPlaneOptions()
      for server in dnsServer { try FlagRules.checkNameServer(server, "--dns-server") }
      options.dnsServers = dnsServer
      options.resolveOverrides = try resolve.map(Self.override)
      options.limits.headerTimeoutMilliseconds = try FlagRules.milliseconds(headerTimeout, "--header-timeout")
      options.limits.idleTimeoutMilliseconds = try FlagRules.milliseconds(idleTimeout, "--idle-timeout")
      options.limits.streamIdleTimeoutMilliseconds = try FlagRules.milliseconds(
        streamIdleTimeout, "--stream-idle-timeout")
      try FlagRules.check(maxConnections, "--max-connections", in: 1...Int.max)
      try FlagRules.check(maxHeaderBytes, "--max-header-bytes", in: 256...Self.mostHeaderBytes)
      try FlagRules.check(maxHeaderCount, "--max-header-count", in: 1...10_000)
      try FlagRules.check(maxRequestLineBytes, "--max-request-line-bytes", in: 16...Self.mostHeaderBytes)
      options.limits.maxConnections = maxConnections ?? Int.max
      try FlagRules.check(maxHandshakes, "--max-handshakes", in: 1...Int.max)
      options.limits.maxHandshakes = maxHandshakes
      options.limits.http1.maxHeaderBytes = maxHeaderBytes
      options.limits.http1.maxHeaderCount = maxHeaderCount
      options.limits.http1.maxRequestLineBytes = maxRequestLineBytes
      return options
    }
  }

  /// What a head has room for.
  private static let mostHeaderBytes = 96 * 1024

  /// Port 0 is any that is free.
  private static func address(_ text: String, _ flag: String) throws -> SocketAddress {
    guard let address = SocketAddress(withPort: text) else {
      throw ValidationError("\(flag) \(text): write it as ADDRESS:PORT")
    }
    return address
  }

  /// `HOST:PORT:ADDRESS[:PORT]`, IPv6 addresses in brackets.
  private static func override(_ text: String) throws -> ResolveOverride {
    let problem = ValidationError("--resolve \(text): write it as HOST:PORT:ADDRESS or HOST:PORT:ADDRESS:PORT")
    let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
    guard parts.count == 3, let port = UInt16(parts[1]), port > 0 else { throw problem }
    if let address = SocketAddress(literal: parts[2], port: 0) {
      return ResolveOverride(host: parts[0], port: port, address: address)
    }
    guard let colon = parts[2].lastIndex(of: ":"), let target = UInt16(parts[2][parts[2].index(after: colon)...]),
      target > 0,
      let address = SocketAddress(literal: String(parts[2][..<colon]), port: target)
    else { throw problem }
    return ResolveOverride(host: parts[0], port: port, address: address)
  }
}

extension AccessLogFormat: ExpressibleByArgument {}
