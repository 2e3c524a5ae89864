import ArgumentParser
import Operations

/// `sallyport certs`
struct CertsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certs", abstract: "Certificates for development.", subcommands: [Init.self, List.self])

  struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a development CA and the certificates that the examples need.",
      discussion: "sallyport certs init --host httpbin.example.com")

    @Option(help: "The directory.")
    var dir = "certs"

    @Option(help: "A name of the ingress certificate; repeat for more.")
    var host: [String] = ["httpbin.example.com"]

    @Option(help: "A name of the demo upstream's certificate; repeat for more.")
    var upstream: [String] = ["httpbin.org"]

    @Flag(help: "Make everything anew.")
    var force = false

    func run() throws {
      do {
        let made = try DevelopmentCertificates(directory: dir, hosts: host, upstreams: upstream).make(force: force)
        output(made.isEmpty ? "nothing to do, \(dir) has everything\n" : made.map { "made \($0)\n" }.joined())
      } catch {
        fail("\(error)", ExitStatus.unavailable)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show certificates with the days that are left.")

    @Argument(help: "Directories.")
    var dirs: [String] = ["certs"]

    func run() throws {
      for dir in dirs {
        guard let table = DevelopmentCertificates.table(of: dir) else { fail("cannot read \(dir)", ExitStatus.noInput) }
        output(table)
      }
    }
  }
}
