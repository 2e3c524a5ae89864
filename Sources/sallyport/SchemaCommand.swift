import ArgumentParser
import Operations
import Resources

/// `sallyport schema`
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON Schema of a kind, for editors.",
    discussion: """
      sallyport schema VirtualService
      sallyport schema --write docs/schema
      """)

  @Argument(
    help: "The kind; without one, the schema that chooses by kind.",
    completion: .list(KindSchema.all.map(\.kind)))
  var kind: String?

  @Option(help: ArgumentHelp("Write all of them into a directory.", valueName: "dir"), completion: .directory)
  var write: String?

  func run() throws {
    if let write {
      for schema in KindSchema.all { try save(SchemaForms.schema(schema), SchemaForms.fileName(of: schema), write) }
      return try save(SchemaForms.all(KindSchema.all), "sallyport.json", write)
    }
    guard let kind else { return output(SchemaForms.all(KindSchema.all).text() + "\n") }
    guard let schema = KindSchema.all.first(where: { $0.kind.lowercased() == kind.lowercased() }) else {
      let kinds = KindSchema.all.map(\.kind)
      let help = Suggestion.help(for: kind, among: kinds) ?? "there are \(kinds.joined(separator: ", "))"
      fail("no schema of \(kind); \(help)", ExitStatus.usage)
    }
    output(SchemaForms.schema(schema).text() + "\n")
  }

  private func save(_ schema: JSON, _ name: String, _ directory: String) throws {
    let path = "\(directory)/\(name)"
    guard FileWriter.replace(path, with: Array((schema.text() + "\n").utf8)) else {
      fail("cannot write \(path)", ExitStatus.noInput)
    }
  }
}
