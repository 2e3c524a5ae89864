import ArgumentParser
import Operations
import Routing

/// Which configuration, and which instance of it: the same flags for all verbs.
struct IdentityFlags: ParsableArguments {
  @Argument(help: "Files and directories with resources, or - for standard input.", completion: .file())
  var paths: [String] = ["gateways/"]

  @OptionGroup private var flags: SelectionFlags

  var secrets: [String] { flags.secrets }

  var selection: InstanceSelection { get throws { try flags.selection } }

  var compilerOptions: CompilerOptions { get throws { try flags.compilerOptions } }

  var source: ConfigurationSource { get throws { try flags.source(paths) } }
}
