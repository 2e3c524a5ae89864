import ArgumentParser
import Operations
import Transport

/// Where a running instance's admin endpoints are.
struct AdminFlags: ParsableArguments {
  @Option(help: ArgumentHelp("The admin endpoints' address.", valueName: "address:port"))
  var admin: String?

  @Option(help: "The instance's --admin-base (default: 15000).")
  var adminBase: Int?

  func validate() throws {
    try FlagRules.checkAdminBase(adminBase)
    _ = try address()
  }

  /// The place was named.
  var isSaid: Bool { admin != nil || adminBase != nil }

  /// The address of the admin port, or of another of the instance's ports by its distance from the base.
  func address(offset: Int = 0) throws -> SocketAddress {
    let local = SocketAddress(v4: 0x7F00_0001, port: UInt16(clamping: (adminBase ?? 15000) + offset))
    guard let admin, offset == 0 else { return local }
    guard let address = SocketAddress(withPort: admin), address.port > 0 || address.family == .unix else {
      throw ValidationError("--admin \(admin): write it as ADDRESS:PORT")
    }
    return address
  }

  /// Asks, or ends with 69 and a hint when nobody answers.
  func get(_ path: String, offset: Int = 0) throws -> AdminClient.Answer {
    try ask { try AdminClient(address: try address(offset: offset)).get(path) }
  }

  /// Asks for a change, or ends with 69.
  func post(_ path: String) throws -> AdminClient.Answer {
    try ask { try AdminClient(address: try address()).post(path) }
  }

  private func ask(_ body: () throws -> AdminClient.Answer) throws -> AdminClient.Answer {
    do {
      return try body()
    } catch let error as SystemError {
      fail("no instance answers: \(error); is it running, and is --admin-base the same?", ExitStatus.unavailable)
    }
  }
}

/// `sallyport status`
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show a running instance: readiness with reasons, configuration, upstreams.")

  @OptionGroup var place: TargetFlags

  enum Form: String, ExpressibleByArgument, CaseIterable { case short, json }

  @Option(name: [.short, .long], help: "short or json.")
  var output = Form.short

  func run() throws {
    let answer = try place.get("/status")
    sallyport.output(output == .json ? answer.body : StatusText.text(answer.body))
  }
}

/// `sallyport healthcheck`
struct HealthcheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "healthcheck", abstract: "Exit 0 if the instance is ready, 1 if not; for images without a shell.")

  @OptionGroup var admin: AdminFlags

  func run() throws {
    let answer = try admin.get("/healthz/ready", offset: 21)
    guard answer.status != 200 else { return output("ready\n") }
    output(answer.body)
    throw ExitCode(1)
  }
}
