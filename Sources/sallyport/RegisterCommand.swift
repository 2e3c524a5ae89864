import ArgumentParser
import Operations
import Resources

/// `sallyport register`, by the name that istioctl had for it.
struct RegisterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register", abstract: "Print the resources that make a machine's ports a host of the mesh.",
    discussion: """
      Prints a ServiceEntry, and a WorkloadEntry for the address: add them to the configuration.
      sallyport register mysql 1.2.3.4 3306 -n onprem
      sallyport register svc1 1.2.3.4 http:7000 -n onprem >> gateways/onprem.yaml
      """)

  @Argument(help: "The name of the service.")
  var name: String

  @Argument(help: "The address of the machine; a host name is looked up.")
  var address: String

  @Argument(help: ArgumentHelp("Ports; the name says the protocol, tcp when there is none.", valueName: "[name:]port"))
  var ports: [String]

  @Option(name: .shortAndLong, help: "The namespace.")
  var namespace = "default"

  @Option(
    name: .shortAndLong, help: ArgumentHelp("A label of the machine; repeat for more.", valueName: "key=value"))
  var labels: [String] = []

  @Option(name: [.customShort("s"), .long], help: "The service account of the machine.")
  var serviceaccount: String?

  func run() throws {
    let registration = Registration(
      name: name, namespace: namespace, address: address, ports: try ports.map(port), labels: try labels.map(label),
      serviceAccount: serviceaccount)
    output(registration.yaml)
    // What is printed must be what would be taken.
    var result = LoadResult()
    ResourceLoader.load(text: Array(registration.yaml.utf8), file: "<register>", into: &result)
    if let error = result.diagnostics.first(where: { $0.severity == .error }) {
      fail(error.message, ExitStatus.usage)
    }
  }

  private func port(_ text: String) throws -> (name: String, number: Int) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let number = Int(parts[parts.count - 1]), (1...65535).contains(number) else {
      throw ValidationError("\(text): write a port as NUMBER or NAME:NUMBER")
    }
    return (parts.count == 2 ? String(parts[0]) : "tcp-\(number)", number)
  }

  private func label(_ text: String) throws -> (key: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw ValidationError("--labels \(text): write it as key=value")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}
