import ArgumentParser
import Operations
import Routing

/// `sallyport proxy-config`
struct ProxyConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy-config", abstract: "Show the configuration in force, as istioctl does.",
    discussion: """
      Of a running instance, or of files with --from.
      sallyport pc cluster --admin-base 15000
      sallyport pc route --from gateways/ --instance httpbin-egress
      """,
    subcommands: [Listener.self, Route.self, Cluster.self, Endpoint.self, Secret.self, Log.self, All.self],
    aliases: ["pc"])

  /// What all tables take.
  struct Flags: ParsableArguments {
    enum Form: String, ExpressibleByArgument, CaseIterable { case short, table, json, yaml }

    @OptionGroup var admin: AdminFlags

    @OptionGroup(title: "Files instead of an instance") var identity: SelectionFlags

    @Option(
      help: ArgumentHelp(
        "Files and directories with resources instead of a running instance; repeat for more.",
        valueName: "path"))
    var from: [String] = []

    @Option(name: [.short, .long], help: "short, json or yaml.")
    var output = Form.short

    /// What is shown, from the admin endpoint at `path` or from files.
    func show(_ path: String, _ dump: (SnapshotDump) -> JSON, _ table: (JSON) -> String) throws {
      let json: JSON
      if from.isEmpty {
        let answer = try admin.get(path)
        if output == .json { return sallyport.output(answer.body) }
        guard let read = JSONReader.read(answer.body) else { fail("the answer is not JSON", ExitStatus.unavailable) }
        json = read
      } else {
        json = dump(SnapshotDump(try snapshot))
      }
      switch output {
      case .short, .table: sallyport.output(table(json))
      case .json: sallyport.output(json.text() + "\n")
      case .yaml: sallyport.output(YAMLText.text(json))
      }
    }

    private var snapshot: Snapshot {
      get throws {
        switch try identity.source(from).load(generation: 1) {
        case .success(let loaded): return loaded.snapshot
        case .failure(.unreadable(let paths)): fail("cannot read \(paths.joined(separator: ", "))", ExitStatus.noInput)
        case .failure(.unknownInstance(let name, let known)):
          let declared = known.isEmpty ? "" : " (declared: \(known.joined(separator: ", ")))"
          fail(
            name.isEmpty
              ? "name one instance with --instance, or say --label and --namespace\(declared)"
              : "instance \"\(name)\" is not in the configuration\(declared)", ExitStatus.configuration)
        }
      }
    }
  }

  struct Listener: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sockets and what is behind them.", aliases: ["listeners", "l"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", \.everything, ConfigurationTables.listeners) }
  }

  struct Route: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Virtual hosts and rules.", aliases: ["routes", "r"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", \.everything, ConfigurationTables.routes) }
  }

  struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Upstreams.", aliases: ["clusters", "c"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/config_dump", \.everything, ConfigurationTables.clusters) }
  }

  struct Endpoint: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Addresses of upstreams.", aliases: ["endpoints", "ep"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/clusters?format=json", \.endpoints, ConfigurationTables.endpoints) }
  }

  struct Secret: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Certificates.", aliases: ["secrets", "s"])
    @OptionGroup var flags: Flags
    func run() throws { try flags.show("/certs", \.certificates, ConfigurationTables.secrets) }
  }

  struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Levels of the process log.")
    @OptionGroup var admin: AdminFlags

    @Option(
      help: ArgumentHelp(
        "Set the level of all components, or of some: upstream:debug,tls:info.", valueName: "[component:]level"))
    var level: String?

    @Flag(name: .shortAndLong, help: "Set all components to info again.")
    var reset = false

    func run() throws {
      for word in (reset ? "info" : level ?? "").split(separator: ",") {
        let parts = word.split(separator: ":").map(String.init)
        let query = parts.count == 2 ? "\(parts[0])=\(parts[1])" : "level=\(word)"
        let answer = try admin.post("/logging?\(query)")
        guard answer.status == 200 else { fail(answer.body, ExitStatus.usage) }
      }
      sallyport.output(try admin.post("/logging").body)
    }
  }

  struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All tables.")
    @OptionGroup var flags: Flags
    func run() throws {
      try flags.show("/config_dump", \.everything) { json in
        [ConfigurationTables.listeners(json), ConfigurationTables.routes(json), ConfigurationTables.clusters(json)]
          .joined(separator: "\n")
      }
    }
  }
}
