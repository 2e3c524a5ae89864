import Testing

@testable import Operations
@testable import Resources

/// The JSON Schemas in `docs/schema` are those that the decoders give, and know every field of Istio's.
@Suite struct SchemaTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }

  private func text(_ path: String) throws -> String {
    String(decoding: try #require(FileSystem.read("\(Self.root)/\(path)"), "\(path)"), as: UTF8.self)
  }

  @Test(arguments: KindSchema.all.map(\.kind))
  func `the schema of a kind is written as it is`(_ kind: String) throws {
    let schema = try #require(KindSchema.all.first { $0.kind == kind })
    let written = try text("docs/schema/\(SchemaForms.fileName(of: schema))")
    #expect(
      written == SchemaForms.schema(schema).text() + "\n", "write them anew: sallyport schema --write docs/schema")
    #expect(!schema.apiVersions.isEmpty)
  }

  @Test func `the schema that chooses by kind is written as it is`() throws {
    #expect(try text("docs/schema/sallyport.json") == SchemaForms.all(KindSchema.all).text() + "\n")
  }

  @Test(arguments: ["istio-fields.txt", "policy-fields.txt"])
  func `every field of Istio's schema is there with its type`(_ file: String) throws {
    for line in try text("Tests/Corpus/\(file)").split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      let schema = try #require(KindSchema.all.first { $0.kind == words[0] })
      var value = FieldSchema.object(schema.spec)
      for name in words[1].split(separator: ".").dropFirst() {
        guard case .object(let fields) = value else {
          Issue.record("\(line): not an object above \(name)")
          break
        }
        var bare = String(name.prefix { $0 != "[" && $0 != "{" })
        if bare == "mirror_percent" { bare = "mirrorPercent" }
        let field = try #require(fields.first { $0.name == bare }, "\(line)")
        value = field.value
        // The items, where the path goes on below them.
        if case .list(let inner) = value, name.hasSuffix("[]"), words[1].contains("\(name).") { value = inner }
        if case .map(let inner) = value, name.hasSuffix("{}"), words[1].contains("\(name).") { value = inner }
      }
      #expect(Self.fits(value, words[2]), "\(line): \(value)")
      if words.count > 3, case .choice(let names) = value {
        #expect(Set(names) == Set(words[3].split(separator: "|").map(String.init)), "\(line): \(names)")
      }
    }
  }

  private static func fits(_ value: FieldSchema, _ type: String) -> Bool {
    switch (value, type) {
    case (.any, _): return true
    case (.string, "string"), (.choice, "string"), (.duration, "string"), (.text, "string"), (.boolean, "boolean"):
      return true
    case (.integer, "integer"), (.number, "number"), (.object, "object"): return true
    case (.list(.string), "[]string"), (.list(.integer), "[]integer"), (.list(.object), "[]object"): return true
    case (.map(.string), "map[string]string"), (.map(.integer), "map[string]integer"): return true
    case (.map(.object), "map[string]object"): return true
    default: return false
    }
  }
}
