import ArgumentParser
import Operations

/// `sallyport proxy-config`
struct ProxyConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy-config", abstract: "Show the configuration in force, as istioctl does.",
    discussion: "sallyport pc cluster --admin-base 15000",
    subcommands: [Listener.self, Route.self, Cluster.self, Endpoint.self, Secret.self, Log.self, All.self],
    aliases: ["pc"])

  /// What all tables take.
  struct Flags: ParsableArguments {
    @OptionGroup var admin: AdminFlags

    @Option(name: [.short, .long], help: "short or json.")
    var output = "short"

    func show(_ path: String, _ table: (JSON) -> String) throws {
      let answer = try admin.get(path)
      guard output != "json" else { return sallyport.output(answer.body) }
      guard let json = JSONReader.read(answer.body) else { fail("the answer is not JSON", ExitStatus.unavailable) }
      sallyport.output(table(json))
    }
  }

  struct Listener: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sockets and what is behind them.", aliases: ["listeners", "l"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", ConfigurationTables.listeners) }
  }

  struct Route: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Virtual hosts and rules.", aliases: ["routes", "r"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", ConfigurationTables.routes) }
  }

  struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Upstreams.", aliases: ["clusters", "c"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", ConfigurationTables.clusters) }
  }

  struct Endpoint: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Addresses of upstreams.", aliases: ["endpoints", "ep"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/clusters?format=json", ConfigurationTables.endpoints) }
  }

  struct Secret: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Certificates.", aliases: ["secrets", "s"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/certs", ConfigurationTables.secrets) }
  }

  struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Levels of the process log.")
    @OptionGroup var flags: Flags
    func run() throws { sallyport.output(try flags.admin.get("/logging").body) }
  }

  struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All tables.")
    @OptionGroup var flags: Flags
    func run() throws {
      try flags.show("/config_dump") { json in
        [ConfigurationTables.listeners(json), ConfigurationTables.routes(json), ConfigurationTables.clusters(json)]
          .joined(separator: "\n")
      }
    }
  }
}
