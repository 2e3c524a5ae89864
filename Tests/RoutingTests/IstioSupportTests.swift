import Testing

@testable import Resources

/// `docs/istio-support.md` against the schema (`Tests/Corpus/istio-fields.txt`), the tests, and what the loader says.
@Suite struct IstioSupportTests {
  struct Field: Sendable, Hashable, CustomTestStringConvertible {
    let kind: String
    /// `spec.http[].match[].headers{}.exact`
    let path: String
    let type: String
    let values: [String]
    var testDescription: String { "\(kind) \(path)" }
  }

  struct Row {
    let status: String
    let note: String
    let test: String
  }

  static let fields: [Field] = {
    let text = FileSystem.read("\(Repository.root)/Tests/Corpus/istio-fields.txt").map {
      String(decoding: $0, as: UTF8.self)
    }
    return (text ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let words = line.split(separator: " ").map(String.init)
      return Field(
        kind: words[0], path: words[1], type: words[2],
        values: words.count > 3 ? words[3].split(separator: "|").map(String.init) : [])
    }
  }()

  static let rows: [String: [Row]] = {
    let text =
      FileSystem.read("\(Repository.root)/docs/istio-support.md").map { String(decoding: $0, as: UTF8.self) } ?? ""
    var rows: [String: [Row]] = [:]
    var kind = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { kind = String(line.dropFirst(3)) }
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
        String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      guard cells.count == 6, cells[1].hasPrefix("`spec") else { continue }
      rows["\(kind) \(cells[1].filter { $0 != "`" })", default: []].append(
        Row(status: cells[2], note: cells[3], test: cells[4]))
    }
    return rows
  }()

  @Test func `every field has one row, and every row is a field`() {
    #expect(Self.fields.count > 350)
    for field in Self.fields {
      let rows = Self.rows["\(field.kind) \(field.path)"]?.count ?? 0
      #expect(rows == 1, "\(field.kind) \(field.path) has \(rows) rows")
    }
    #expect(Set(Self.rows.keys) == Set(Self.fields.map { "\($0.kind) \($0.path)" }))
  }

  @Test(arguments: fields)
  func `the loader knows each field and says the status of the row`(_ field: Field) throws {
    let row = try #require(Self.rows["\(field.kind) \(field.path)"]?.first)
    let diagnostics = Marked.load(Self.sample(field)).diagnostics
    #expect(!diagnostics.contains { $0.message.hasPrefix("unknown field") }, "\(diagnostics.map(\.message))")
    let isWarned = diagnostics.contains { $0.code == "SP1001" }
    switch row.status {
    case "acted on": #expect(!isWarned, "the loader says that it is not acted on")
    case "warned":
      // Where the kind of server decides, the compiler says it.
      let isLater = row.note.hasPrefix("said at the server")
      #expect(isWarned != isLater, "the loader says nothing: is it acted on by now?")
    case "refused": #expect(diagnostics.contains { $0.message.contains("not supported") })
    case "not applicable": #expect(!row.note.isEmpty, "why?")
    default: Issue.record("unknown status \(row.status)")
    }
  }

  @Test func `what is acted on or refused is shown by a test that exists`() throws {
    var names: Set<Substring> = []
    let files =
      Repository.files(below: "\(Repository.root)/Tests", suffix: ".swift")
      + Repository.files(below: "\(Repository.root)/Tests/EndToEndTests", suffix: ".py")
    for file in files {
      for line in try Repository.text(file).split(separator: "\n") {
        for keyword in ["func ", "def "] {
          guard let start = line.firstRange(of: keyword)?.upperBound else { continue }
          let rest = line[start...]
          names.insert(rest.hasPrefix("`") ? rest.dropFirst().prefix { $0 != "`" } : rest.prefix { $0 != "(" })
        }
      }
    }
    for (field, rows) in Self.rows {
      for row in rows where row.status == "acted on" || row.status == "refused" || !row.test.isEmpty {
        let isThere = names.contains(row.test[...])
        #expect(isThere, "\(field): there is no test \"\(row.test)\"")
      }
    }
  }

  // MARK: Samples

  /// A document of the kind with this field alone.
  static func sample(_ field: Field) -> String {
    let names = field.path.split(separator: ".").dropFirst().map(String.init)
    var spec = value(of: names[...], field)
    // The percentage of a mirror means something beside the mirror alone.
    if field.path.hasPrefix("spec.http[].mirrorP") || field.path.hasPrefix("spec.http[].mirror_p") {
      spec = spec.replacing("[{mirror", with: "[{mirror: {host: x}, mirror", maxReplacements: 1)
    }
    let version = field.kind == "ProxyConfig" ? "v1beta1" : "v1"
    return """
      apiVersion: networking.istio.io/\(version)
      kind: \(field.kind)
      metadata: {name: sample}
      spec: \(spec)
      """
  }

  private static func value(of names: ArraySlice<String>, _ field: Field) -> String {
    guard let name = names.first else { return leaf(field) }
    let bare = name.prefix { $0 != "[" && $0 != "{" }
    let isLast = names.count == 1
    let inner = isLast ? leaf(field) : value(of: names.dropFirst(), field)
    if isLast { return "{\(bare): \(inner)}" }
    if name.hasSuffix("[]") { return "{\(bare): [\(inner)]}" }
    return name.hasSuffix("{}") ? "{\(bare): {a: \(inner)}}" : "{\(bare): \(inner)}"
  }

  private static func leaf(_ field: Field) -> String {
    switch field.type {
    case "object": return "{}"
    case "boolean": return "true"
    case "integer", "number": return "1"
    case "[]string": return "[x]"
    case "[]integer": return "[1]"
    case "[]object": return "[{}]"
    case "map[string]string": return "{a: b}"
    case "map[string]integer": return "{a: 1}"
    case "map[string]object": return "{a: {}}"
    default: return field.values.first ?? "x"
    }
  }
}
