import Glibc

/// Reads configuration from files, directories and standard input.
///
///     let result = ResourceLoader.load(["gateways/"])
///     for gateway in result.resources.gateways {
///       let port = gateway.spec.servers.first?.port?.number   // Located<Int>: port?.value, port?.location
///     }
///     var renderer = DiagnosticRenderer(result.documents, usesColor: false)
///     for diagnostic in result.diagnostics { print(renderer.text(diagnostic)) }
///
/// A resource with an error is left out of `resources` and named in `broken`; the others are there. What a field's
/// absence means is the resource's `effective…` property. Nothing of a file's text or of its nodes stays alive.
package enum ResourceLoader {
  /// The largest file that is read.
  private static let maxFileBytes = 64 << 20

  /// Reads all documents of all paths: files, directories (recursively, `*.yaml`, `*.yml` and `*.json`, in lexical
  /// order), `-`.
  package static func load(_ paths: [String]) -> LoadResult {
    var result = LoadResult()
    for path in paths {
      if path == "-" {
        load(text: FileSystem.readAll(descriptor: 0), file: "<stdin>", into: &result)
        continue
      }
      guard let found = ConfigurationFiles(path) else {
        result.unreadable.append(path)
        continue
      }
      result.diagnostics += found.diagnostics
      for file in found.files {
        guard let bytes = FileSystem.read(file, limit: maxFileBytes) else {
          result.unreadable.append(file)
          continue
        }
        load(text: bytes, file: file, into: &result)
      }
    }
    return result
  }

  /// Reads the documents of one text. What there is to say comes in the order of the file.
  package static func load(text bytes: [UInt8], file: String, into result: inout LoadResult) {
    var own = LoadResult()
    own.files.append(file)
    read(bytes, file, &own)
    own.diagnostics.sort { left, right in
      guard let first = left.location, let second = right.location else {
        return left.location == nil && right.location != nil
      }
      return (first.line, first.column) < (second.line, second.column)
    }
    result.merge(own)
  }

  private static func read(_ bytes: [UInt8], _ file: String, _ result: inout LoadResult) {
    if let offset = UTF8Check.invalidByte(in: bytes) {
      result.documents.append(SourceDocument(file: file, firstLine: 0, text: bytes[...], isUnidentified: true))
      return refuse(
        Diagnostic("IST0106", .error, "not UTF-8 text", at: place(of: offset, in: bytes, file)), file, &result)
    }
    var decoder = ResourceDecoder(file: file)
    for document in DocumentSplitter(bytes).documents {
      do throws(YAMLError) {
        guard let node = try Composer.document(document.bytes.span) else { continue }
        result.documents.append(decoder.decode(document, node))
      } catch {
        result.documents.append(document.unidentified(file))
        let syntax = SyntaxError(file: file, lineOffset: document.firstLine, document: document.bytes)
        refuse(syntax.diagnostic(error), file, &result)
      }
    }
    result.merge(decoder.result)
  }

  /// What there is to say about a document that is not even YAML.
  private static func refuse(_ diagnostic: Diagnostic, _ file: String, _ result: inout LoadResult) {
    result.hasSyntaxErrors = true
    result.diagnostics.append(diagnostic)
    result.broken.append(file)
  }

  private static func place(of offset: Int, in bytes: [UInt8], _ file: String) -> SourceLocation {
    let before = bytes[..<offset]
    let line = before.count { $0 == 0x0A } + 1
    let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
    return SourceLocation(file: file, line: line, column: column)
  }
}

extension DocumentSplitter.Document {
  fileprivate func unidentified(_ file: String) -> SourceDocument {
    SourceDocument(file: file, firstLine: firstLine, text: bytes, isUnidentified: true)
  }
}
