import ArgumentParser
import Operations

/// `sallyport demo`
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run the main job on this machine: upstream, egress, ingress, and the curl line to try.")

  @Argument(help: "Files and directories with resources.")
  var paths: [String] = ["gateways/"]

  @Option(help: ArgumentHelp("A real upstream instead of the embedded one.", valueName: "host:port"))
  var upstream: String?

  @Option(help: "The directory of the development certificates.")
  var certs = "certs"

  @Flag(help: "Send the request once when the chain is ready, and end: with 0 if the answer is 200.")
  var once = false

  func validate() throws {
    if let upstream { try FlagRules.checkHostAndPort(upstream, "--upstream") }
  }

  func run() throws {
    var options = Demo.Options()
    options.paths = paths
    options.upstream = upstream
    options.certificates = certs
    options.once = once
    do {
      throw ExitCode(try Demo(options).run())
    } catch let code as ExitCode {
      throw code
    } catch {
      fail("\(error)", ExitStatus.unavailable)
    }
  }
}
