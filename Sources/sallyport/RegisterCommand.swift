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
      A second machine of the same service:
      sallyport register svc1 1.2.3.5 http:7000 -n onprem --known gateways/ > b.yaml
      """)

  @Argument(help: "The name of the service.")
  var name: String

  @Argument(help: "The address of the machine; a host name is looked up.")
  var address: String

  @Argument(
    help: ArgumentHelp(
      "Ports; the name says the protocol. Without one it is that of the usual protocol of the port, or tcp.",
      valueName: "[name:]port"))
  var ports: [String]

  @Option(name: .shortAndLong, help: "The namespace.")
  var namespace = "default"

  @Option(
    name: .shortAndLong, help: ArgumentHelp("A label of the machine; repeat for more.", valueName: "key=value"))
  var labels: [String] = []

  @Option(name: [.customShort("s"), .long], help: "The service account of the machine.")
  var serviceaccount: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("An annotation of both resources; repeat for more.", valueName: "key=value"))
  var annotations: [String] = []

  @Option(
    help: ArgumentHelp(
      "Resources that are there already: a service among them is not printed again; repeat for more.",
      valueName: "path"), completion: .file())
  var known: [String] = []

  func run() throws {
    var registration = Registration(
      name: name, namespace: namespace, address: address, ports: try ports.map(port),
      labels: try pairs(labels, "--labels"), serviceAccount: serviceaccount)
    registration.annotations = try pairs(annotations, "--annotations")
    if let service = knownService {
      do {
        try registration.join(service)
      } catch {
        fail("\(error)", ExitStatus.usage)
      }
    }
    let text = registration.yaml
    // What is printed must be what would be taken.
    var result = LoadResult()
    ResourceLoader.load(text: Array(text.utf8), file: "<register>", into: &result)
    if let error = result.diagnostics.first(where: { $0.severity == .error }) {
      fail(error.message, ExitStatus.usage)
    }
    output(text)
  }

  func validate() throws {
    guard HostRules.isLabel(name) else {
      throw ValidationError("\(name): the name of a service has lower-case letters, digits and hyphens")
    }
    guard Registration.isAddress(address) else {
      throw ValidationError("\(address): an address is an IP address, the name of a host, or unix:///PATH")
    }
  }

  /// The service among the resources at `--known`.
  private var knownService: Resource<ServiceEntry>? {
    guard !known.isEmpty else { return nil }
    let loaded = ResourceLoader.load(known)
    if !loaded.unreadable.isEmpty {
      fail("cannot read \(loaded.unreadable.joined(separator: ", "))", ExitStatus.noInput)
    }
    return loaded.resources.serviceEntries.first {
      $0.metadata.name == name && $0.metadata.namespace == namespace
    }
  }

  private func port(_ text: String) throws -> (name: String?, number: Int) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let number = Int(parts[parts.count - 1]), (1...65535).contains(number) else {
      throw ValidationError("\(text): write a port as NUMBER or NAME:NUMBER")
    }
    return (parts.count == 2 ? String(parts[0]) : nil, number)
  }

  /// `a=b`, also several in one, as kubectl and istioctl take them.
  private func pairs(_ texts: [String], _ flag: String) throws -> [(key: String, value: String)] {
    try texts.flatMap { $0.split(separator: ",") }.map { text in
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw ValidationError("\(flag) \(text): write it as key=value")
      }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
  }
}
