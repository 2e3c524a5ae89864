import ArgumentParser
import Operations
import Routing
import Transport

/// Which instance of a configuration, and how its sockets are placed: the same flags for all verbs.
struct SelectionFlags: ParsableArguments {
  @Option(help: "The instance, by the name that an IstioOperator component or a Deployment declares.")
  var instance: String?

  @Option(help: ArgumentHelp("A label of the instance; repeat for more.", valueName: "key=value"))
  var label: [String] = []

  @Option(help: "The namespace of the instance.")
  var namespace: String?

  @Option(
    help: ArgumentHelp("A directory with secrets, one folder each; repeat for more.", valueName: "dir"),
    completion: .directory)
  var secrets: [String] = []

  @Option(help: ArgumentHelp("Listen on LOCAL for the Gateway's port; repeat for more.", valueName: "local:gateway"))
  var publish: [String] = []

  @Option(help: "Listen on this address instead of all.")
  var bind: String?

  func validate() throws {
    _ = try selection
    _ = try compilerOptions
  }

  var selection: InstanceSelection {
    get throws {
      var selection = InstanceSelection()
      selection.name = instance
      selection.namespace = namespace
      for text in label.flatMap({ $0.split(separator: ",") }) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
          throw ValidationError("--label \(text): write it as key=value")
        }
        selection.labels[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      return selection
    }
  }

  var compilerOptions: CompilerOptions {
    get throws {
      var options = CompilerOptions()
      if let bind, SocketAddress(literal: bind, port: 0) == nil {
        throw ValidationError("--bind \(bind): it must be an IP address")
      }
      options.bindAddress = bind
      for text in publish {
        let parts = text.split(separator: ":").map { Int($0) }
        guard parts.count == 2, let local = parts[0], let gateway = parts[1], (0...65535).contains(local),
          (1...65535).contains(gateway)
        else { throw ValidationError("--publish \(text): write it as LOCAL:GATEWAY, as kubectl port-forward does") }
        options.publish[gateway] = local
      }
      return options
    }
  }

  /// The configuration at `paths`, for this instance.
  ///
  /// - Parameter named: an instance that is named besides the flags.
  func source(_ paths: [String], naming named: InstanceTarget? = nil) throws -> ConfigurationSource {
    var selection = try selection
    if let named {
      selection.name = named.name
      selection.namespace = named.namespace ?? selection.namespace
    }
    return ConfigurationSource(paths: paths, secrets: secrets, selection: selection, compiler: try compilerOptions)
  }
}
