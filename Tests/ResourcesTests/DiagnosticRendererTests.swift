import Resources
import Testing

/// What people see of a file with mistakes.
struct DiagnosticRendererTests {
  /// The text of all diagnostics of a file, in which the file is called `test.yaml`.
  private static func render(_ bytes: [UInt8], color: Bool = false) throws -> String {
    let directory = try TemporaryDirectory()
    let path = directory.write("test.yaml", bytes)
    let result = ResourceLoader.load([path])
    var renderer = DiagnosticRenderer(result.documents, usesColor: color)
    let text = result.diagnostics.map { renderer.text($0) }.joined()
    return text.replacing(path, with: "test.yaml")
  }

  @Test func aDozenMistakes() throws {
    #expect(try Self.render(Array(mistakesYAML.utf8)) == mistakesText)
  }

  @Test func colorsStandAroundTheWordsTheyMark() throws {
    let text = try Self.render(Array("kind: Gateway\n".utf8), color: true)
    #expect(
      text
        == """
        \u{1B}[1mtest.yaml:1:1\u{1B}[0m: \u{1B}[1;31merror[IST0106]\u{1B}[0m: apiVersion is missing
            1 | kind: Gateway
              | \u{1B}[31m^\u{1B}[0m

        """)
  }

  @Test func tabsAndLineEndsAndControlCharactersDoNoHarm() throws {
    let text = try Self.render(
      Array("{\"kind\":\t\"Gatew\u{1B}[2Jay\", \"apiVersion\": \"networking.istio.io/v1\"}\r\n".utf8))
    #expect(!text.contains("\r") && !text.contains("\u{1B}"))
    let tab = try Self.render(Array("{\"apiVersion\": \"networking.istio.io/v1\",\t\"kind\": \"Gatway\"}\r\n".utf8))
    #expect(
      tab.contains(
        "\n      | " + String(repeating: " ", count: 40) + "\t" + String(repeating: " ", count: 8) + "^^^^^^^^\n"))
  }

  /// The line with a place and the carets under it, without what stands left of them.
  private static func excerpt(_ line: String, column: Int, length: Int, columns: Int) throws -> [Substring] {
    let directory = try TemporaryDirectory()
    let path = directory.write("test.yaml", Array(("# a line before\n" + line + "\n# and one behind\n").utf8))
    let place = SourceLocation(file: path, line: 2, column: column, length: length)
    var renderer = DiagnosticRenderer(ResourceLoader.load([path]).documents, usesColor: false, columns: columns)
    let lines = renderer.text(Diagnostic("X", .error, "m", at: place)).split(separator: "\n")
    #expect(lines.count == 3 && lines.dropFirst().allSatisfy { $0.count <= columns })
    return lines.dropFirst().map { $0.dropFirst(8) }
  }

  @Test func linesThatAreTooLongAreCut() throws {
    let before = String(repeating: "abcdefghij0123456789", count: 50) + "abcdefghij"
    let line = "k: " + before + "ABCD" + String(repeating: "0123456789abcdefghij", count: 50)
    let found = try Self.excerpt(line, column: before.count + 4, length: 4, columns: 50)
    let caret = try #require(found[1].firstIndex(of: "^"))
    let offset = found[1].distance(from: found[1].startIndex, to: caret)
    #expect(found[0].hasPrefix("…") && found[0].hasSuffix("…"))
    #expect(found[0].dropFirst(offset).prefix(4) == "ABCD")
  }

  @Test func theBeginningAndTheEndOfALongLineAreNotCut() throws {
    let long = String(repeating: "abcdefghij", count: 40)
    let first = try Self.excerpt("key: \(long)", column: 1, length: 3, columns: 60)
    #expect(first[0].hasPrefix("key: abc") && first[0].hasSuffix("…") && first[1] == "^^^")
    let last = try Self.excerpt("key: \(long)END", column: 406, length: 3, columns: 60)
    #expect(last[0].hasPrefix("…") && last[0].hasSuffix("END"))
    #expect(last[1].count == last[0].count && last[1].hasSuffix(" ^^^"))
    let all = try Self.excerpt("key: \(long)", column: 6, length: 400, columns: 60)
    #expect(all[0].hasPrefix("key: ") && all[1].count == all[0].count - 1)
  }

  @Test func charactersThatAreWideOrHaveNoWidthMoveTheCaret() throws {
    let found = try Self.excerpt("日本: e\u{301} x # 語", column: 8, length: 1, columns: 80)
    #expect(found == ["日本: e\u{301} x # 語", "        ^"])
    let cut = try Self.excerpt("k: " + String(repeating: "日", count: 400) + "x", column: 404, length: 1, columns: 50)
    #expect(cut[0].hasSuffix("日x") && cut[1].count == 2 * cut[0].count - 2)
  }

  @Test(arguments: [
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: 31337\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  password: 'p 31337 p!'\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: [31337]\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: \"31337\n",
  ])
  func secretsAreNotShown(yaml: String) throws {
    let text = try Self.render(Array(yaml.utf8))
    #expect(text.hasPrefix("test.yaml:5:"))
    #expect(!text.contains("31337"))
  }
}
