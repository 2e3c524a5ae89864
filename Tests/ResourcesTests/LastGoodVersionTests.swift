import Resources
import Testing

/// Earlier versions of resources in the place of broken ones.
struct LastGoodVersionTests {
  private static func load(_ files: [(String, String)]) -> LoadResult {
    var result = LoadResult()
    for (file, text) in files { ResourceLoader.load(text: Array(text.utf8), file: file, into: &result) }
    return result
  }

  private static func secret(_ name: String, _ value: String) -> String {
    "apiVersion: v1\nkind: Secret\nmetadata: {name: \(name)}\nstringData: {value: \(value == "[]" ? value : "'\(value)'")}\n---\n"
  }

  private static func values(_ result: LoadResult) -> [String: String] {
    Dictionary(
      result.resources.secrets.map { ($0.metadata.name, String(decoding: $0.spec.data["value"] ?? [], as: UTF8.self)) },
      uniquingKeysWith: { "\($0),\($1)" })
  }

  /// What there was, what there is, and what then counts.
  @Test(arguments: [
    // A broken one is as it was; the other changes.
    (
      [("f", secret("a", "1") + secret("b", "1"))], [("f", secret("a", "[]") + secret("b", "2"))], ["a": "1", "b": "2"]
    ),
    // It has no earlier version.
    ([("f", secret("a", "1"))], [("f", secret("a", "2") + secret("b", "[]"))], ["a": "2"]),
    // A document that is no YAML keeps what its file gave, and the rest of the file counts.
    ([("f", secret("a", "1") + secret("b", "1"))], [("f", "kind: [\n---\n" + secret("b", "2"))], ["a": "1", "b": "2"]),
    // So does one without a kind or name, and only for its file.
    (
      [("f", secret("a", "1")), ("g", secret("b", "1"))], [("f", "metadata: {name: a}"), ("g", "")], ["a": "1"]
    ),
    ([("f", secret("a", "1"))], [("f", secret("", "1"))], ["a": "1"]),
    // Nothing is broken: what is gone is gone.
    ([("f", secret("a", "1"))], [("f", "")], [:]),
    // It moved to another file and broke there.
    ([("f", secret("a", "1"))], [("f", ""), ("g", secret("a", "[]"))], ["a": "1"]),
    // It moved to another file and is good there, while its old file is broken.
    ([("f", secret("a", "1"))], [("f", "kind: ["), ("g", secret("a", "2"))], ["a": "2"]),
  ])
  func whatCounts(before: [(String, String)], now: [(String, String)], expected: [String: String]) {
    var result = Self.load(now)
    let kept = result.keepBroken(from: Self.load(before).documents)
    #expect(Self.values(result) == expected)
    #expect(kept.isSubset(of: ["Secret default/a"]))
    // What counts is what is kept the next time.
    var again = Self.load([("f", "kind: ["), ("g", "kind: [")])
    _ = again.keepBroken(from: result.documents)
    #expect(Self.values(again) == expected)
  }

  @Test func itemsOfListsAreKeptOneByOne() {
    func list(_ first: String, _ second: String) -> String {
      """
      apiVersion: v1
      kind: List
      items:
      - {apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {value: \(first)}}
      - {apiVersion: v1, kind: Secret, metadata: {name: b}, stringData: {value: \(second)}}
      """
    }
    var result = Self.load([("f", list("[]", "'2'"))])
    #expect(result.keepBroken(from: Self.load([("f", list("'1'", "'1'"))]).documents) == ["Secret default/a"])
    #expect(Self.values(result) == ["a": "1", "b": "2"])
  }

  @Test func replacingChangesWhatHasAnotherText() {
    let earlier = Self.load([("f", Self.secret("a", "1") + Self.secret("b", "1"))])
    var result = Self.load([("f", Self.secret("a", "2") + Self.secret("b", "1"))])
    let names: Set = ["Secret default/a", "Secret default/b", "Secret default/c"]
    #expect(result.replace(names, from: earlier.documents) == ["Secret default/a"])
    #expect(Self.values(result) == ["a": "1", "b": "1"])
    #expect(result.replace(names, from: earlier.documents).isEmpty)
  }

  @Test func aPlaceBelongsToTheResourceOfItsDocument() {
    let result = Self.load([("f", Self.secret("a", "1") + Self.secret("b", "1"))])
    let names = [1, 4, 6, 9].map { result.resource(at: SourceLocation(file: "f", line: $0, column: 1)) }
    #expect(names == ["Secret default/a", "Secret default/a", "Secret default/b", "Secret default/b"])
    #expect(result.resource(at: SourceLocation(file: "g", line: 1, column: 1)) == nil)
  }
}
