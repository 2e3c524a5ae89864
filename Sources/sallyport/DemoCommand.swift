import ArgumentParser
import Operations
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "demo", abstract: "Run the main job on this machine.")
  func run() throws {}
}
