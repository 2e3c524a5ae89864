import ArgumentParser
import Operations

/// `sallyport version`
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version.")

  @Flag(help: "Only the number.")
  var short = false

  func run() { output(short ? "\(Version.text)\n" : "sallyport \(Version.text)\n") }
}
