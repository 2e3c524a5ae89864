import ArgumentParser
import CLinux
import Operations
import Resources
import Routing

/// `sallyport check`
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look for mistakes in the configuration.",
    discussion: """
      Exit codes: 0 nothing found, 79 findings at or above --failure-threshold, 65 a file is not YAML, 66 a path does not exist,
      or there are no resources at all.
      sallyport check gateways/ --instance httpbin-egress
      sallyport check gateways/ --secrets certs -o sarif
      sallyport check gateways/ -S "IST0118=Service *.httpbin"
      sallyport check --explain IST0101
      """, aliases: ["analyze"])

  @OptionGroup var flags: CheckFlags

  func run() throws { try flags.run() }
}

/// What `check` takes and does.
struct CheckFlags: ParsableArguments {
  enum Form: String, ExpressibleByArgument, CaseIterable { case log, json, yaml, sarif }

  enum Threshold: String, ExpressibleByArgument, CaseIterable {
    case info, warning, error

    init?(argument: String) { self.init(rawValue: argument.lowercased()) }

    var severity: Diagnostic.Severity {
      switch self {
      case .info: return .info
      case .warning: return .warning
      case .error: return .error
      }
    }
  }

  @OptionGroup var identity: IdentityFlags

  @Option(name: [.short, .long], help: "log, json, yaml or sarif.")
  var output = Form.log

  @Option(help: "The least severity that makes the exit code 79: info, warning or error.")
  var failureThreshold = Threshold.error

  @Flag(help: "Also fail where run --strict would: policies that are not enforced count as errors.")
  var strict = false

  @Option(help: "The least severity that is shown: info, warning or error.")
  var outputThreshold = Threshold.info

  @Option(
    name: [.customShort("S"), .long],
    help: ArgumentHelp(
      "Findings not to report; * stands for any text; repeat for more.", valueName: "code=kind name.ns"))
  var suppress: [String] = []

  @Option(
    help: "Only what this analyzer says, by its name in --list-analyzers; syntax and references are always checked.",
    completion: .list(Analysis.analyzers.map(\.name)))
  var analyzer: String?

  @Flag(name: [.customShort("L"), .long], help: "List the analyzers.")
  var listAnalyzers = false

  @Option(
    help: ArgumentHelp("Print cause and fix of a code, or of all.", valueName: "code"),
    completion: .list(MessageCatalog.all.map(\.code) + ["all"]))
  var explain: String?

  @Flag(name: [.customShort("A"), .long], help: "Look at all namespaces; files always are.")
  var allNamespaces = false

  func validate() throws {
    for text in suppress where Suppression(text) == nil {
      throw ValidationError("-S \"\(text)\": write it as CODE=Kind name.namespace")
    }
    if let analyzer, !Analysis.analyzers.contains(where: { $0.name == analyzer }) {
      let help = Suggestion.help(for: analyzer, among: Analysis.analyzers.map(\.name)).map { "; \($0)" } ?? ""
      throw ValidationError("--analyzer \(analyzer) is none of --list-analyzers\(help)")
    }
  }

  func run() throws {
    if listAnalyzers { return list() }
    if let explain { return print(explain) }
    let source = try identity.source
    let read: LoadResult
    switch source.read() {
    case .failure(.unreadable(let paths)): fail("cannot read \(paths.joined(separator: ", "))", ExitStatus.noInput)
    case .failure: fail("the configuration cannot be read", ExitStatus.data)
    case .success(let result): read = result
    }
    let asked = suppress.compactMap { Suppression($0) }
    for code in asked.compactMap(\.unknownCode) {
      say("Warning: Supplied message code '\(code)' is an unknown message code and will not have any effect.\n")
    }
    let suppressions = asked + Suppression.annotations(of: read.resources)
    let diagnostics = try findings(read, source).filter { finding in !suppressions.contains { $0.covers(finding) } }
    show(diagnostics.filter { $0.severity >= outputThreshold.severity }, read)
    if read.hasSyntaxErrors { throw ExitCode(ExitStatus.data) }
    let isRefused = strict && diagnostics.contains { $0.severity == .error || $0.code == "SP1016" }
    if isRefused || diagnostics.contains(where: { $0.severity >= failureThreshold.severity }) {
      throw ExitCode(ExitStatus.findings)
    }
  }

  /// Everything that can be said: of the documents, of the references between them, of every instance.
  private func findings(_ read: LoadResult, _ source: ConfigurationSource) throws -> [Diagnostic] {
    let declared = InstanceCatalog.instances(in: read.resources)
    var entries = declared + InstanceCatalog.implied(in: read.resources, beside: declared)
    if !source.selection.isEmpty {
      guard let entry = source.identity(in: read.resources) else {
        let known = declared.map(\.identity.name)
        let help = Suggestion.help(for: source.selection.name ?? "", among: known).map { "; \($0)" } ?? ""
        fail("instance \"\(source.selection.name ?? "")\" is not in the configuration\(help)", ExitStatus.configuration)
      }
      entries = [entry]
    }
    if read.broken.isEmpty,
      let slip = PublishedPorts.problem(source.compiler, read.resources, instances: entries.map(\.identity))
    {
      fail(slip, ExitStatus.usage)
    }
    let selected = source.selection.isEmpty ? declared.map(\.identity) : []
    var found = analyzed(read.resources, entries, selected, source)
    if !read.flawed.headers.isEmpty {
      // What is no longer so when resources with errors count, is a consequence of those errors.
      var whole = read.resources
      whole.merge(read.flawed)
      let lasting = Set(analyzed(whole, entries, selected, source))
      found.removeAll { !lasting.contains($0) }
    }
    // Of what is not YAML nobody knows what it would have declared.
    if read.hasSyntaxErrors { found.removeAll { Self.absences.contains($0.code) } }
    // Whatever keeps rules from leading somewhere also keeps probes from it: one mistake is one finding.
    if (read.diagnostics + found).contains(where: { $0.severity == .error || $0.code == "IST0132" }) {
      found.removeAll { $0.code == "SP1064" }
    }
    var seen: Set<Diagnostic> = []
    return (read.diagnostics + found).filter { seen.insert($0).inserted }.sorted(by: Self.isBefore)
  }

  /// The codes that say that something is not there.
  private static let absences: Set<String> = ["IST0101", "IST0132", "IST0174", "SP1011", "SP1034", "SP1035"]

  /// What the compiler and the analyzers say of resources.
  private func analyzed(
    _ resources: ResourceSet, _ entries: [InstanceCatalog.Entry], _ selected: [InstanceIdentity],
    _ source: ConfigurationSource
  ) -> [Diagnostic] {
    var all = OverlapAnalyzer.references(resources, instances: selected)
    for entry in entries {
      let compiler = SnapshotCompiler(
        resources, identity: entry.identity, readinessProbes: entry.readinessProbes,
        options: source.compiler, readFile: { FileSystem.read($0) })
      // Without a selection the flags are those of one of the instances, whichever.
      all += compiler.compile(generation: 1).diagnostics.filter { $0.code != "SP1061" || entries.count == 1 }
    }
    let context = AnalysisContext(
      resources, instances: entries.map(\.identity), now: TimeText.epochSeconds,
      inspect: { CertificateReport(chainPEM: $0, keyPEM: $1) }, readFile: { FileSystem.read($0) })
    return all + Analysis.run(context, only: analyzer)
  }

  private static func isBefore(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
    if left.severity != right.severity { return left.severity > right.severity }
    let key = { (diagnostic: Diagnostic) in
      (
        diagnostic.location?.file ?? "", diagnostic.location?.line ?? 0, diagnostic.location?.column ?? 0,
        diagnostic.code
      )
    }
    return key(left) < key(right)
  }

  // MARK: Output

  private func show(_ diagnostics: [Diagnostic], _ read: LoadResult) {
    switch output {
    case .json: sallyport.output(DiagnosticForms.json(diagnostics).text() + "\n")
    case .yaml: sallyport.output(YAMLText.text(DiagnosticForms.json(diagnostics)))
    case .sarif: sallyport.output(DiagnosticForms.sarif(diagnostics).text() + "\n")
    case .log:
      let columns = Int(shim_terminal_columns(1))
      var renderer = DiagnosticRenderer(
        read.documents, usesColor: unsafe isatty(1) == 1 && getenv("NO_COLOR") == nil,
        columns: columns > 0 ? columns : 160)
      for diagnostic in diagnostics { sallyport.output(renderer.text(diagnostic)) }
    }
    let paths = identity.paths.joined(separator: ", ")
    if read.documents.isEmpty { fail("there are no resources in \(paths)", ExitStatus.noInput) }
    guard let worst = diagnostics.first else {
      return say("✔ No validation issues found when analyzing \(paths).\n")
    }
    guard output == .log else { return }
    say("Found issues when analyzing \(paths): causes and fixes by sallyport check --explain \(worst.code)\n")
  }

  private func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(2, bytes, bytes.count)
  }

  private func list() {
    var table = Table(["ANALYZER", "LOOKS AT"])
    for analyzer in Analysis.analyzers { table.add([analyzer.name, analyzer.summary]) }
    sallyport.output(table.text)
  }

  private func print(_ code: String) {
    if code.lowercased() == "all" { return sallyport.output(MessageCatalog.page) }
    if let absent = MessageCatalog.absent.first(where: { $0.codes.contains(code.uppercased()) }) {
      return sallyport.output("\(code.uppercased()) cannot occur here: \(absent.why)\n")
    }
    guard let message = MessageCatalog.message(code) else {
      fail("there is no code \(code)\(MessageCatalog.suggestion(for: code).map { "; \($0)" } ?? "")", ExitStatus.usage)
    }
    sallyport.output(message.text)
  }
}
