import ArgumentParser
import CLinux
import Operations
import Transport

/// The command line: one file a verb beside this one.
@main
struct Sallyport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport",
    abstract: "A gateway appliance that reads Istio resources and runs its own data plane.",
    discussion: """
      Run the gateways of a directory:        sallyport run gateways/ --instance httpbin-egress
      Look for mistakes in them:              sallyport check gateways/
      Try the whole thing on one machine:     sallyport demo
      """,
    version: Version.text,
    subcommands: [
      RunCommand.self, CheckCommand.self, ExplainCommand.self, DiffCommand.self,
      ProxyConfigCommand.self, StatusCommand.self, HealthcheckCommand.self, CertsCommand.self, DemoCommand.self,
      FormatCommand.self, RegisterCommand.self, SchemaCommand.self, CompletionCommand.self, ManualCommand.self,
      VersionCommand.self,
    ])

  static func main() {
    StandardDescriptors.fill()
    main(nil)
  }
}

/// Ends the process with a message on standard error.
func fail(_ message: String, _ code: Int32) -> Never {
  let bytes = Array("sallyport: \(message)\n".utf8)
  _ = unsafe write(2, bytes, bytes.count)
  exit(code)
}

/// Writes to standard output, whole.
func output(_ text: String) {
  let bytes = Array(text.utf8)
  var written = 0
  while written < bytes.count {
    let count = unsafe bytes[written...].withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
    guard count > 0 else { return }
    written += count
  }
}
