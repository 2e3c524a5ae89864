import Glibc
import Yams

/// Reads configuration from files, directories and standard input.
package enum ResourceLoader {
  /// The largest file that is read.
  private static let maxFileBytes = 64 << 20

  /// Reads all documents of all paths: files, directories (recursively, `*.yaml` and `*.yml`, in lexical order), `-`.
  package static func load(_ paths: [String]) -> LoadResult {
    var result = LoadResult()
    for path in paths {
      if path == "-" {
        load(text: FileSystem.readAll(descriptor: 0), file: "<stdin>", into: &result)
        continue
      }
      guard let files = FileSystem.configurationFiles(path) else {
        result.unreadable.append(path)
        continue
      }
      for file in files {
        guard let bytes = FileSystem.read(file, limit: maxFileBytes) else {
          result.unreadable.append(file)
          continue
        }
        load(text: bytes, file: file, into: &result)
      }
    }
    return result
  }

  /// Reads the documents of one text.
  package static func load(text bytes: [UInt8], file: String, into result: inout LoadResult) {
    result.files.append(file)
    let text = String(decoding: bytes, as: UTF8.self)
    var decoder = ResourceDecoder(file: file)
    for (firstLine, document) in documents(of: text) {
      do {
        // The document is parsed behind as many empty lines as stood before it, so that marks are those of the file.
        let padded = String(repeating: "\n", count: firstLine) + document
        if let node = try Yams.compose(yaml: padded) { decoder.decode(node) }
      } catch {
        result.hasSyntaxErrors = true
        result.diagnostics.append(syntaxError(error, file: file, document: document, firstLine: firstLine))
        result.broken.append(file)
      }
    }
    result.merge(decoder.result)
  }

  /// The documents of a text and the number of lines before each: a syntax error in one does not hide the others.
  private static func documents(of text: String) -> [(firstLine: Int, text: String)] {
    var documents: [(Int, String)] = []
    var current: [Substring] = []
    var first = 0
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      if line == "---" || line.hasPrefix("--- ") || line == "---\r" {
        documents.append((first, current.joined(separator: "\n")))
        current = []
        first = number + 1
      } else {
        current.append(line == "..." ? "" : line)
      }
    }
    documents.append((first, current.joined(separator: "\n")))
    return documents.filter { !isBlank($0.1) }
  }

  private static func isBlank(_ text: String) -> Bool {
    text.split(separator: "\n").allSatisfy { line in
      let content = line.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
      return content.isEmpty || content.hasPrefix("#") || content.hasPrefix("%")
    }
  }

  /// Where a key stands for the second time in the mapping that begins at `mark`.
  private static func secondPlace(
    of key: String, in document: String, firstLine: Int, from mark: Mark
  ) -> (line: Int, column: Int) {
    let indentation = String(repeating: " ", count: max(0, mark.column - 1))
    var seen = 0
    for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where index + firstLine + 1 >= mark.line {
      guard line.hasPrefix("\(indentation)\(key):") || line.hasPrefix("\(indentation)\"\(key)\":") else { continue }
      seen += 1
      if seen == 2 { return (index + firstLine + 1, mark.column) }
    }
    return (mark.line, mark.column)
  }

  private static func syntaxError(_ error: any Error, file: String, document: String, firstLine: Int) -> Diagnostic {
    guard let error = error as? YamlError else {
      return Diagnostic("IST0106", .error, "\(error)", at: SourceLocation(file: file, line: firstLine + 1, column: 1))
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let line = document.split(separator: "\n", omittingEmptySubsequences: false)
      let index = mark.line - firstLine - 1
      let hasTab = line.indices.contains(index) && line[index].contains("\t")
      let detail = context.map { " (\($0.text))" } ?? ""
      return Diagnostic(
        "IST0106", .error, "invalid YAML: \(problem)\(detail)",
        at: SourceLocation(file: file, line: mark.line, column: mark.column),
        help: hasTab
          ? "YAML is indented with spaces, never with tabs" : "check the indentation of this line and the one before")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let key = duplicates.first ?? ""
      let place = secondPlace(of: key, in: document, firstLine: firstLine, from: context.mark)
      return Diagnostic(
        "IST0106", .error, "field \"\(key)\" is given twice",
        at: SourceLocation(file: file, line: place.line, column: place.column, length: key.count))
    default:
      return Diagnostic(
        "IST0106", .error, "invalid YAML: \(error)", at: SourceLocation(file: file, line: firstLine + 1, column: 1))
    }
  }
}

extension LoadResult {
  /// Adds what another part of the configuration gave.
  package mutating func merge(_ other: LoadResult) {
    resources.gateways += other.resources.gateways
    resources.virtualServices += other.resources.virtualServices
    resources.serviceEntries += other.resources.serviceEntries
    resources.destinationRules += other.resources.destinationRules
    resources.workloadEntries += other.resources.workloadEntries
    resources.peerAuthentications += other.resources.peerAuthentications
    resources.operators += other.resources.operators
    resources.secrets += other.resources.secrets
    resources.configMaps += other.resources.configMaps
    resources.services += other.resources.services
    resources.endpointSlices += other.resources.endpointSlices
    resources.deployments += other.resources.deployments
    resources.probes += other.resources.probes
    diagnostics += other.diagnostics
    broken += other.broken
    unreadable += other.unreadable
    hasSyntaxErrors = hasSyntaxErrors || other.hasSyntaxErrors
    files += other.files
  }
}
