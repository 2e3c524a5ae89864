import ArgumentParser
import CLinux
import Operations

/// `sallyport diff`
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two configurations by what requests see.",
    discussion: """
      For every listener, host and rule of either side, requests that satisfy it are run through both. What is reported
      comes with a request that shows it. Exit codes: 0 the same, 1 different, 2 trouble.
      sallyport diff gateways/ /tmp/new-gateways/
      git show HEAD:gateways/ingress.yaml | sallyport diff - gateways/ingress.yaml
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "The configuration as it is: a file, a directory, or - for standard input.", completion: .file())
  var old: String

  @Argument(help: "The configuration as it would be.", completion: .file())
  var new: String

  @Option(name: [.short, .long], help: "text or json.")
  var output = Form.text

  @Option(
    name: .long, parsing: .singleValue,
    help: ArgumentHelp(
      "The secrets of the old side, where they are others than --secrets; repeat for more.", valueName: "dir"),
    completion: .directory)
  var oldSecrets: [String] = []

  @OptionGroup var flags: SelectionFlags

  /// As diff(1) has it.
  private static let trouble: Int32 = 2

  func validate() throws {
    if old == "-", new == "-" { throw ValidationError("only one side can be standard input") }
  }

  func run() throws {
    let before = try load(old, secrets: oldSecrets.isEmpty ? flags.secrets : oldSecrets)
    let after = try load(new, secrets: flags.secrets)
    if let slip = after.publishSlip(try flags.compilerOptions, beside: before) { fail(slip, ExitStatus.usage) }
    guard !before.selected.isEmpty || !after.selected.isEmpty else {
      fail("neither side has an instance or a Gateway: say --label and --namespace", Self.trouble)
    }
    let differences = ConfigurationComparison.compare(before, after)
    switch output {
    case .text: sallyport.output(DifferenceText.text(differences))
    case .json: sallyport.output(DifferenceForms.json(differences).text() + "\n")
    }
    warn(before.errorCount, old)
    warn(after.errorCount, new)
    if !differences.isEmpty { throw ExitCode(1) }
  }

  private func load(_ path: String, secrets: [String]) throws -> CompiledConfiguration {
    var flags = flags
    flags.secrets = secrets
    do {
      return try CompiledConfiguration.load(try flags.source([path]))
    } catch let trouble as CompiledConfiguration.Trouble {
      fail("\(path): \(trouble.message)", Self.trouble)
    }
  }

  private func warn(_ count: Int, _ path: String) {
    guard count > 0 else { return }
    let bytes = Array("sallyport: \(path): \(count) error\(count == 1 ? "" : "s"), see sallyport check\n".utf8)
    _ = unsafe write(2, bytes, bytes.count)
  }
}
