import Resources
import Testing

/// What people see of a file with mistakes.
struct DiagnosticRendererTests {
  /// The text of all diagnostics of a file, in which the file is called `test.yaml`.
  private static func render(_ bytes: [UInt8], color: Bool = false) throws -> String {
    let directory = try TemporaryDirectory()
    let path = directory.write("test.yaml", bytes)
    var renderer = DiagnosticRenderer(usesColor: color)
    let text = ResourceLoader.load([path]).diagnostics.map { renderer.text($0) }.joined()
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
