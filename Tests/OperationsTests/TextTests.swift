import Testing

@testable import Operations
@testable import Resources

@Suite struct TextTests {
  @Test func `makes istioctl's tables`() {
    var table = Table(["NAME", "PORT"])
    table.add(["a-long-name", "80"])
    table.add(["b", ""])
    #expect(table.text == "NAME            PORT\na-long-name     80\nb\n")
  }

  @Test func `reads the JSON that it writes`() {
    let value = JSON.object([
      ("text", .string("a\"b\\c\nd\u{1}é")), ("list", .array([.number(-3), .bool(true), .null])),
      ("empty", .object([])),
    ])
    let read = JSONReader.read(value.text())
    #expect(read?.text() == value.text())
    #expect(read?["text"].plain == "a\"b\\c\nd\u{1}é")
    #expect(read?["list"].items.count == 3)
  }

  @Test(arguments: ["", "{", "[1,", "{\"a\"}", "tru", "\"x", "{}x"])
  func `refuses what is not JSON`(_ text: String) {
    #expect(JSONReader.read(text) == nil)
  }

  @Test func `shows times`() {
    #expect(TimeText.iso(0) == "1970-01-01T00:00:00.000Z")
    #expect(TimeText.iso(1_787_392_800_123) == "2026-08-22T10:00:00.123Z")
    #expect(TimeText.duration(59) == "59s" && TimeText.duration(90_061) == "1d1h")
  }

  @Test func `decodes query strings`() {
    let parsed = QueryText.parse("a=1&b&c=x%20y+z&%41=")
    #expect(parsed.map(\.name) == ["a", "b", "c", "A"])
    #expect(parsed.map { $0.value ?? "-" } == ["1", "-", "x y z", ""])
  }

  @Test func `gives diagnostics to machines`() {
    let diagnostic = Diagnostic(
      "IST0101", .error, "m", at: SourceLocation(file: "f.yaml", line: 2, column: 3, length: 4), resource: "Gateway n/g"
    )
    let json = DiagnosticForms.json([diagnostic]).items[0]
    #expect(json["code"].plain == "IST0101" && json["level"].plain == "Error" && json["reference"].plain == "f.yaml:2")
    let result = DiagnosticForms.sarif([diagnostic])["runs"].items[0]["results"].items[0]
    let region = result["locations"].items[0]["physicalLocation"]["region"]
    #expect(region["startColumn"].plain == "3" && region["endColumn"].plain == "7")
  }

  @Test func `readiness says all reasons`() {
    let readiness = Readiness.of(listeners: [], isDraining: true, isFailedByHand: true, probes: [])
    #expect(!readiness.isReady && readiness.reasons.count == 2)
    #expect(Readiness.of(listeners: [], isDraining: false, isFailedByHand: false, probes: []).isReady)
  }

  @Test func `levels of the process log`() {
    let log = ProcessLog(level: .off, isJSON: false)
    #expect(log.setLevel(.debug, component: "health") && !log.setLevel(.debug, component: "nothing"))
    #expect(log.levels.first { $0.name == "health" }?.level == .debug)
    #expect(ProcessLog.Level(name: "warn") == .warning && ProcessLog.Level(name: "loud") == nil)
  }

  @Test func `a finding that only moved within its file is not new`() {
    let finding = { (message: String, line: Int) in
      Diagnostic("IST0106", .error, message, at: SourceLocation(file: "f.yaml", line: line, column: 3, length: 1))
    }
    let old = [finding("a", 4)]
    #expect(Diagnostic.unseen([finding("a", 9)], in: old).isEmpty)
    #expect(Diagnostic.unseen([finding("b", 4)], in: old).map(\.message) == ["b"])
    #expect(Diagnostic.unseen([finding("a", 4), finding("a", 9)], in: old).count == 1)
  }
}
