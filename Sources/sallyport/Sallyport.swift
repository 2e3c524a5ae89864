import ArgumentParser

/// The command line: one file a verb beside this one.
@main
struct Sallyport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sallyport", abstract: "A gateway appliance that reads Istio resources.")
}
