import Resources
import Testing

/// Something that must be said: `line:column`, the words underlined there, severity and code, the message.
struct Finding: Equatable, Sendable, CustomStringConvertible {
  let line: Int
  let column: Int
  let token: String
  let label: String
  let message: String
  let help: String?

  init(_ line: Int, _ column: Int, _ token: String, _ label: String, _ message: String, help: String? = nil) {
    self.line = line
    self.column = column
    self.token = token
    self.label = label
    self.message = message
    self.help = help
  }

  var description: String {
    "\(line):\(column) \"\(token)\" \(label): \(message)\(help.map { " (\($0))" } ?? "")"
  }
}

/// A file with a mistake.
struct BrokenCase: Sendable, CustomTestStringConvertible {
  let name: String
  let yaml: String
  let findings: [Finding]

  init(_ name: String, _ yaml: String, _ findings: [Finding]) {
    self.name = name
    self.yaml = yaml
    self.findings = findings
  }

  var testDescription: String { name }

  /// Loads the file: exactly the findings are said, and a resource with an error is left out.
  func check() {
    let result = load(yaml)
    #expect(result.diagnostics.map { finding($0, in: yaml) } == findings)
    let hasErrors = findings.contains { $0.label.hasPrefix("error") }
    #expect(result.broken.isEmpty == !hasErrors)
    if hasErrors { #expect(result.resources.count == 0) }
  }
}

/// Loads one text as a file.
func load(_ text: String, file: String = "test.yaml") -> LoadResult {
  var result = LoadResult()
  ResourceLoader.load(text: Array(text.utf8), file: file, into: &result)
  return result
}

/// A diagnostic with the words that it underlines.
func finding(_ diagnostic: Diagnostic, in text: String) -> Finding {
  let label = "\(diagnostic.severity.label)[\(diagnostic.code)]"
  guard let location = diagnostic.location else {
    return Finding(0, 0, "", label, diagnostic.message, help: diagnostic.help)
  }
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  let line = location.line <= lines.count ? lines[location.line - 1] : ""
  let token = line.dropFirst(location.column - 1).prefix(location.length)
  return Finding(
    location.line, location.column, String(token), label, diagnostic.message, help: diagnostic.help)
}

extension ResourceSet {
  /// How many resources there are of all kinds.
  var count: Int {
    gateways.count + virtualServices.count + serviceEntries.count + destinationRules.count + workloadEntries.count
      + peerAuthentications.count + operators.count + secrets.count + configMaps.count + services.count
      + endpointSlices.count + deployments.count + probes.count
  }
}
