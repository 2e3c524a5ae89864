import ArgumentParser
import Operations
import Resources
import Routing

/// `sallyport proxy-config`
struct ProxyConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy-config", abstract: "Show the configuration in force, as istioctl does.",
    discussion: """
      Of a running instance, or of files with --from.
      sallyport pc cluster --admin-base 15000
      sallyport pc route --from gateways/ deploy/httpbin-egress.httpbin
      sallyport pc bootstrap httpbin-egress
      """,
    subcommands: [
      Listener.self, Route.self, Cluster.self, Endpoint.self, Secret.self, Bootstrap.self, Log.self, All.self,
      ExtensionConfigurations.self, RootComparison.self,
    ],
    aliases: ["pc"])

  /// What all tables take.
  struct Flags: ParsableArguments {
    enum Form: String, ExpressibleByArgument, CaseIterable { case short, table, json, yaml }

    @OptionGroup var place: TargetFlags

    @OptionGroup(title: "Files instead of an instance") var identity: SelectionFlags

    @Option(
      help: ArgumentHelp(
        "Files and directories with resources instead of a running instance; repeat for more.",
        valueName: "path"), completion: .file())
    var from: [String] = []

    @Option(name: [.short, .long], help: "short, json or yaml.")
    var output = Form.short

    @Option(
      name: [.short, .long], help: "A saved answer of /config_dump (or /clusters?format=json) instead of an instance.",
      completion: .file())
    var file: String?

    func validate() throws {
      if file != nil, !from.isEmpty { throw ValidationError("--file and --from exclude each other") }
      guard let target = place.target else { return }
      if file != nil { throw ValidationError("--file is of one instance, and \(target) names another") }
      if !from.isEmpty, identity.instance != nil || !identity.label.isEmpty {
        throw ValidationError("\(target) names the instance, and so do --instance and --label: say it once")
      }
    }

    /// The dump at the admin endpoint's `path`, of files, or saved.
    func dump(_ path: String = "/config_dump", of files: (SnapshotDump) -> JSON = \.everything) throws -> JSON {
      if !from.isEmpty { return files(SnapshotDump(try snapshot)) }
      if let file {
        guard let bytes = FileSystem.read(file) else { fail("cannot read \(file)", ExitStatus.noInput) }
        guard let json = JSONReader.read(String(decoding: bytes, as: UTF8.self)) else {
          fail("\(file): it is not JSON", ExitStatus.data)
        }
        return json
      }
      let answer = try place.get(path)
      guard let json = JSONReader.read(answer.body) else { fail("the answer is not JSON", ExitStatus.unavailable) }
      return json
    }

    /// The endpoints in force.
    func clusters() throws -> JSON { try dump("/clusters?format=json", of: \.endpoints) }

    /// Shows what was found: as a table, or as a list of what the dump has.
    func show(_ found: [JSON], _ table: ([JSON]) -> String) {
      show(.array(found)) { _ in table(found) }
    }

    /// Shows a dump as it is, or as text.
    func show(_ json: JSON, _ text: (JSON) -> String) {
      switch output {
      case .short, .table: sallyport.output(text(json))
      case .json: sallyport.output(json.text() + "\n")
      case .yaml: sallyport.output(YAMLText.text(json))
      }
    }

    private var snapshot: Snapshot {
      get throws {
        let named = try place.named
        let source = try identity.source(from, naming: named)
        switch source.load(generation: 1) {
        case .success(let loaded):
          if let slip = loaded.publishSlip { fail(slip, ExitStatus.usage) }
          return loaded.snapshot
        case .failure(.unreadable(let paths)): fail("cannot read \(paths.joined(separator: ", "))", ExitStatus.noInput)
        case .failure(.empty): fail("there are no resources in \(from.joined(separator: ", "))", ExitStatus.noInput)
        case .failure(.unknownInstance(let name, _)):
          let known = source.declaredInstances.map { (name: $0.name, namespace: $0.namespace) }
          let list = known.map { "\($0.name).\($0.namespace)" }.joined(separator: ", ")
          let declared = known.isEmpty ? "" : " (declared: \(list))"
          guard let wanted = named ?? (try? InstanceTarget(name)) else {
            fail("name one instance, or say --label and --namespace\(declared)", ExitStatus.configuration)
          }
          let help = wanted.help(among: known).map { "; \($0)" } ?? ""
          fail("instance \"\(wanted)\" is not in the configuration\(help)\(declared)", ExitStatus.configuration)
        }
      }
    }
  }

  /// The directions that istioctl knows; an instance has outbound clusters alone.
  enum Direction: String, ExpressibleByArgument, CaseIterable { case inbound, outbound }

  /// The types that istioctl tells listeners apart by, in any case.
  enum ListenerType: String, ExpressibleByArgument, CaseIterable {
    case http = "HTTP"
    case tcp = "TCP"
    case both = "HTTP+TCP"
    case unknown = "UNKNOWN"

    init?(argument: String) { self.init(rawValue: argument.uppercased()) }
  }

  /// What health checks and balancing make of an endpoint, in any case.
  enum Status: String, ExpressibleByArgument, CaseIterable {
    case healthy, unhealthy, unknown
    /// What Envoy says besides, in a saved dump.
    case degraded, draining, timeout

    init?(argument: String) { self.init(rawValue: argument.lowercased()) }
  }

  struct Listener: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sockets and what is behind them.", aliases: ["listeners", "l"])
    @OptionGroup var flags: Flags
    @Option(help: "Listeners on this address alone.") var address: String?
    @Option(help: "Listeners on this port alone.") var port: Int?
    @Option(help: "Listeners of this type alone: HTTP, TCP, HTTP+TCP, UNKNOWN.") var type: ListenerType?
    @Option(help: ArgumentHelp("A line for each filter chain, not for each socket.", valueName: "true|false"))
    var verbose = true

    func validate() throws { try FlagRules.checkPort(port, "--port") }

    func run() throws {
      var selection = ConfigurationSelection()
      selection.address = address
      selection.port = port
      selection.type = type?.rawValue
      flags.show(selection.listeners(try flags.dump())) { ConfigurationTables.listeners($0, chains: verbose) }
    }
  }

  struct Route: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Virtual hosts and rules.", aliases: ["routes", "r"])
    @OptionGroup var flags: Flags
    @Option(help: "This route configuration alone: http.80.") var name: String?

    func run() throws {
      var selection = ConfigurationSelection()
      selection.name = name
      flags.show(selection.routes(try flags.dump()), ConfigurationTables.routes)
    }
  }

  struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Upstreams.", aliases: ["clusters", "c"])
    @OptionGroup var flags: Flags
    @Option(help: "Clusters whose host has this part.") var fqdn: String?
    @Option(help: "Clusters of this port alone.") var port: Int?
    @Option(help: "Clusters of this subset alone.") var subset: String?
    @Option(help: "inbound or outbound.") var direction: Direction?

    func validate() throws { try FlagRules.checkPort(port, "--port") }

    func run() throws {
      var selection = ConfigurationSelection()
      selection.fqdn = fqdn
      selection.port = port
      selection.subset = subset
      selection.direction = direction?.rawValue
      flags.show(selection.clusters(try flags.dump()), ConfigurationTables.clusters)
    }
  }

  struct Endpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Addresses of upstreams.", aliases: ["endpoints", "ep"])
    @OptionGroup var flags: Flags
    @Option(help: "Endpoints at this address alone.") var address: String?
    @Option(help: "Endpoints at this port alone.") var port: Int?
    @Option(help: "Endpoints of this cluster alone.") var cluster: String?
    @Option(help: "Endpoints in this state alone: healthy, unhealthy, unknown.") var status: Status?

    func validate() throws { try FlagRules.checkPort(port, "--port") }

    func run() throws {
      var selection = ConfigurationSelection()
      selection.address = address
      selection.port = port
      selection.cluster = cluster
      selection.status = status?.rawValue
      flags.show(selection.endpoints(try flags.clusters()), ConfigurationTables.endpoints)
    }
  }

  struct Secret: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Certificates.", aliases: ["secrets", "s"])
    @OptionGroup var flags: Flags

    func run() throws {
      flags.show(ConfigurationSelection().secrets(try flags.dump()), ConfigurationTables.secrets)
    }
  }

  struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Levels of the process log.")
    @OptionGroup var place: TargetFlags

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
        let answer = try place.post("/logging?\(query)")
        guard answer.status == 200 else { fail(answer.body, ExitStatus.usage) }
      }
      sallyport.output(try place.post("/logging").body)
    }
  }

  struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All tables.", aliases: ["a"])
    @OptionGroup var flags: Flags

    func run() throws {
      let dump = try flags.dump()
      guard flags.output == .short || flags.output == .table else { return flags.show(dump) { _ in "" } }
      let all = ConfigurationSelection()
      // A saved dump has no endpoints: Envoy keeps them elsewhere.
      let endpoints = flags.file == nil ? [ConfigurationTables.endpoints(all.endpoints(try flags.clusters()))] : []
      let tables =
        [
          ConfigurationTables.clusters(all.clusters(dump)), ConfigurationTables.listeners(all.listeners(dump)),
          ConfigurationTables.routes(all.routes(dump)), ConfigurationTables.secrets(all.secrets(dump)),
        ] + endpoints
      sallyport.output(tables.joined(separator: "\n"))
    }
  }
}
