import ArgumentParser
import Operations

extension ProxyConfigCommand {
  struct Bootstrap: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Who the instance is, and what it was started with.", aliases: ["b"])
    @OptionGroup var flags: Flags

    func run() throws {
      let dump = ConfigurationSelection().bootstrap(try flags.dump())
      flags.show(dump, BootstrapText.text)
    }
  }

  /// istioctl's `ecds`: of what does not exist here.
  struct ExtensionConfigurations: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ecds", abstract: "Not there: an instance has no extension configurations.", shouldDisplay: false,
      aliases: ["ec"])
    @Argument(parsing: .allUnrecognized) var words: [String] = []

    func run() throws {
      fail(
        "there are no extension configurations: WasmPlugin and EnvoyFilter have no effect here, which check says of "
          + "each; pc all shows all there is", ExitStatus.usage)
    }
  }

  /// istioctl's `rootca-compare`: of what does not exist here.
  struct RootComparison: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rootca-compare", abstract: "Not there: an instance has no certificate of a mesh.",
      shouldDisplay: false, aliases: ["rc"])
    @Argument(parsing: .allUnrecognized) var words: [String] = []

    func run() throws {
      fail(
        "an instance has no root certificate of a mesh to compare; pc secret shows its certificates, and pc cluster "
          + "-o json which CA an upstream is verified with", ExitStatus.usage)
    }
  }
}
