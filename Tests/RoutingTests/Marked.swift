import Testing

@testable import Resources
@testable import Routing

/// A text with the findings that it must give, each marked where it is:
///
///     prefix: /api        #! SP1022@/api
///     #! 7:3 IST0106      (where a comment cannot stand on the line itself)
struct Marked {
  let text: String
  /// `line:column CODE`, sorted.
  let findings: [String]

  init(_ text: String) {
    self.text = text
    var findings: [String] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard let mark = line.firstRange(of: "#! ") else { continue }
      for word in line[mark.upperBound...].split(separator: " + ") {
        if let at = word.firstIndex(of: "@") {
          let token = word[word.index(after: at)...]
          let before = line[..<mark.lowerBound].firstRange(of: token)?.lowerBound
          #expect(before != nil, "\(token) is not in line \(index + 1)")
          let column = line.distance(from: line.startIndex, to: before ?? line.startIndex) + 1
          findings.append("\(index + 1):\(column) \(word[..<at])")
        } else {
          findings.append(String(word))
        }
      }
    }
    self.findings = findings.sorted()
  }

  /// `line:column CODE` of diagnostics, sorted.
  static func places(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.code)" }.sorted()
  }

  /// All that `check` says of resources: of the documents, of every instance that they declare or imply, of analysis.
  static func check(
    _ loaded: LoadResult, now: Int64 = 0, inspect: AnalysisContext.CertificateInspector? = nil
  ) -> [Diagnostic] {
    let declared = InstanceCatalog.instances(in: loaded.resources)
    let entries = declared + InstanceCatalog.implied(in: loaded.resources, beside: declared)
    var all = loaded.diagnostics
    all += OverlapAnalyzer.references(loaded.resources, instances: declared.map(\.identity))
    for entry in entries {
      all +=
        SnapshotCompiler(
          loaded.resources, identity: entry.identity, readinessProbes: entry.readinessProbes,
          options: CompilerOptions(),
          readFile: { _ in nil }
        ).compile(generation: 1).diagnostics
    }
    all += Analysis.run(
      AnalysisContext(
        loaded.resources, instances: entries.map(\.identity), now: now, inspect: inspect, readFile: { _ in nil }))
    var seen: Set<Diagnostic> = []
    return all.filter { seen.insert($0).inserted }
  }

  /// Loads one text as a file.
  static func load(_ text: String, file: String = "test.yaml") -> LoadResult {
    var result = LoadResult()
    ResourceLoader.load(text: Array(text.utf8), file: file, into: &result)
    return result
  }
}
