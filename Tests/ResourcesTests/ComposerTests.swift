import Testing

@testable import Resources

/// Texts as trees: what is a scalar, where it stands, and what is no YAML.
struct ComposerTests {
  @Test(arguments: [
    // Styles
    ("a: b", "{a: b}"), ("'it''s': \"\\u00e9\\n\"", "{'it's: \"é⏎}"), ("- 1\n- '1'\n- \"1\"", "[1, '1, \"1]"),
    ("a: |\n  b\n   c\n\n  d\n", "{a: |b⏎ c⏎⏎d⏎}"), ("a: >\n  b\n  c\n\n  d\n", "{a: >b c⏎d⏎}"),
    ("a: |-\n  b\n", "{a: |b}"), ("a: |+\n  b\n\n", "{a: |b⏎⏎}"), ("a: |2\n   b\n", "{a: | b⏎}"),
    ("a: b\n  c\n", "{a: b c}"), ("a: 'b\n\n  c'\n", "{a: 'b⏎c}"), ("{a: [b, {c: d}], e: }", "{a: [b, {c: d}], e: }"),
    ("? a\n: b\n", "{a: b}"), ("? [a]\n: b\n", "{[a]: b}"), ("- - a\n  - b\n- c", "[[a, b], c]"),
    ("a:\n- b\n", "{a: [b]}"), ("plain", "plain"), ("a: b#c # d\n", "{a: b#c}"),
    ("a: \"\u{1F600}\"", "{a: \"\u{1F600}}"),
    // Tags: text is told, all others mean nothing
    ("!!str 1", "!1"), ("! 1", "!1"), ("!!int \"1\"", "\"1"), ("!mine {a: !!float 1}", "{a: 1}"),
    // Anchors and aliases; a later anchor of a name takes its place
    ("a: &x {b: c}\nd: *x", "{a: {b: c}, d: {b: c}}"), ("[&x a, *x, &x b, *x]", "[a, a, b, b]"),
    ("&x a: *x", "{a: a}"), ("<<: {a: b}", "{<<: {a: b}}"),
    // Line ends, tabs, documents
    ("a: b\r\nc: |\r\n  d\r\n", "{a: b, c: |d⏎}"), ("a:\tb", "{a: b}"), ("a: 'b\tc'", "{a: 'b⇥c}"),
    ("{\n\ta: b\n}", "{a: b}"),
    ("--- a\n...\n", "a"), ("---\n", ""), ("%YAML 1.1\n---\na", "a"),
    // A byte order mark before a text is none of it
    ("\u{FEFF}a: \u{FEFF}b\n", "{a: b}"), ("a: '\u{FEFF}b\u{FEFF}c'", "{a: 'b\u{FEFF}c}"),
    // The same key on two levels, and keys that are no scalars
    ("a: {a: b}", "{a: {a: b}}"), ("{[a]: b, [a]: c}", "{[a]: b, [a]: c}"),
  ])
  func trees(yaml: String, tree: String) throws {
    #expect(try compose(yaml).map(rendered) == tree)
  }

  @Test(arguments: ["", "\n", "# nothing\n", "  \n\n"])
  func aTextWithoutADocumentIsNothing(yaml: String) throws {
    #expect(try compose(yaml) == nil)
  }

  @Test(arguments: [
    ("a: b\nc:\n  - d", ["a@1:1", "b@1:4", "c@2:1", "d@3:5"]),
    // Columns are characters, not bytes
    ("é: \"日本\" # \u{1F600}\n\u{1F600}é: {日: x}", ["é@1:1", "日本@1:4", "\u{1F600}é@2:1", "日@2:6", "x@2:9"]),
    ("a: b\r\nc: d\r\n", ["a@1:1", "b@1:4", "c@2:1", "d@2:4"]),
    ("# b\n\na: |\n  b\n", ["a@3:1", "b\n@3:4"]),
    // An alias is where its anchor is
    ("a: &x b\nc: *x", ["a@1:1", "b@1:4", "c@2:1", "b@1:4"]),
    ("a:\nb: ", ["a@1:1", "@1:3", "b@2:1", "@2:3"]),
  ])
  func places(yaml: String, places: [String]) throws {
    #expect(try compose(yaml).map(scalars) == places)
  }

  @Test(arguments: [
    ("a: b: c", syntax("mapping values are not allowed in this context", 1, 5)),
    ("a: [b\nc", syntax("did not find expected ',' or ']'", 3, 1, "while parsing a flow sequence", 1, 4)),
    ("a: 'b", syntax("found unexpected end of stream", 1, 6, "while scanning a quoted scalar", 1, 4)),
    ("\n a: b\nc: d", syntax("did not find expected <document start>", 3, 1)),
    ("a:\n\tb", syntax("found character that cannot start any token", 2, 1, "while scanning for the next token", 2, 1)),
    ("a: *b", syntax("found undefined alias", 1, 4)), ("&a [*a]", syntax("found undefined alias", 1, 5)),
    (
      "a\n---\nb", syntax("but found another document", 2, 1, "expected a single document in the stream")
    ),
    ("a: 1\nb: 2\na: 3", .duplicate(key: "a", at: Mark(line: 3, column: 1), first: Mark(line: 1, column: 1))),
    ("{a: 1, 'a': 2}", .duplicate(key: "a", at: Mark(line: 1, column: 8), first: Mark(line: 1, column: 2))),
    ("- x: {<<: 1,\n   <<: 2}", .duplicate(key: "<<", at: Mark(line: 2, column: 4), first: Mark(line: 1, column: 7))),
    // The first in the order of the text, however many keys there are
    ("b: 1\na: 1\nb: 1\na: 1", .duplicate(key: "b", at: Mark(line: 3, column: 1), first: Mark(line: 1, column: 1))),
    (many + "k7: v", .duplicate(key: "k7", at: Mark(line: 41, column: 1), first: Mark(line: 8, column: 1))),
    ("é: \u{1}", .character(problem: "control characters are not allowed", code: 1, offset: 4)),
    ("a: \u{7F}", .character(problem: "control characters are not allowed", code: 0x7F, offset: 3)),
  ])
  func errors(yaml: String, error: YAMLError) {
    #expect(throws: error) { () throws(YAMLError) in try compose(yaml) }
  }

  @Test func bytesThatAreNoTextHaveTheirOffset() {
    let bytes: [UInt8] = [0x61, 0x3A, 0x20, 0xFF]
    #expect(throws: YAMLError.character(problem: "invalid leading UTF-8 octet", code: 0xFF, offset: 3)) {
      () throws(YAMLError) in try Composer.document(bytes.span)
    }
  }

  @Test func depthIsBounded() throws {
    #expect(try compose(nested(100)) != nil)
    #expect(throws: YAMLError.tooDeep(at: Mark(line: 1, column: 101))) {
      () throws(YAMLError) in try compose(nested(101))
    }
    #expect(throws: YAMLError.tooDeep(at: Mark(line: 1, column: 101))) {
      () throws(YAMLError) in try compose(nested(100, inside: "a"))
    }
  }

  @Test func anAliasIsAsDeepAsItsAnchor() throws {
    let fifty = "a: &x \(nested(50))\n"
    #expect(try compose(fifty + "b: \(nested(49, inside: "*x"))") != nil)
    #expect(throws: YAMLError.tooDeep(at: Mark(line: 2, column: 54))) {
      () throws(YAMLError) in try compose(fifty + "b: \(nested(50, inside: "*x"))")
    }
  }

  @Test func anAliasCountsAsAllThatItStandsFor() throws {
    // 1 + 999 nodes, and the root: 99 aliases more are 100,000.
    let thousand = "- &x [" + Array(repeating: "a", count: 999).joined(separator: ",") + "]\n"
    let aliases = { (count: Int) in thousand + String(repeating: "- *x\n", count: count) }
    #expect(try compose(aliases(98)) != nil)
    #expect(throws: YAMLError.tooManyValues(at: Mark(line: 100, column: 3))) {
      () throws(YAMLError) in try compose(aliases(99))
    }
    // What is written counts for no more than its bytes.
    let plain = "[" + String(repeating: "a,", count: 150_000) + "]"
    #expect(try compose(plain) != nil)
  }

  @Test func aMappingFindsItsScalarKeys() throws {
    guard case .mapping(let mapping)? = try compose("{[a]: 0, 'a': 1, b: 2}") else {
      Issue.record("no mapping")
      return
    }
    #expect(mapping.isFlow && mapping.pairs.count == 3)
    #expect(mapping["a"]?.scalar?.string == "1")
    #expect(mapping["c"]?.scalar == nil)
  }

  @Test(arguments: [
    ("", true), ("~", true), ("null", true), ("''", false), ("'null'", false), ("!!str", false), ("nil", false),
    ("|\n null", false), ("[]", false), ("{}", false),
  ])
  func nothing(text: String, isNull: Bool) throws {
    guard case .sequence(let sequence)? = try compose("- \(text)\n") else {
      Issue.record("no list")
      return
    }
    #expect(sequence.items[0].isNull == isNull)
  }
}

private func compose(_ text: String) throws(YAMLError) -> Node? {
  try Composer.document(text.utf8Span.span)
}

/// A node on one line; the quote or sign of a scalar's style is before it, line feeds are `⏎`.
private func rendered(_ node: Node) -> String {
  switch node {
  case .scalar(let scalar):
    let sign =
      switch scalar.style {
      case .plain: scalar.isText ? "!" : ""
      case .singleQuoted: "'"
      case .doubleQuoted: "\""
      case .literal: "|"
      case .folded: ">"
      }
    return sign + scalar.string.replacing("\n", with: "⏎").replacing("\r", with: "␍").replacing("\t", with: "⇥")
  case .mapping(let mapping):
    return "{" + mapping.pairs.map { "\(rendered($0.key)): \(rendered($0.value))" }.joined(separator: ", ") + "}"
  case .sequence(let sequence): return "[" + sequence.items.map { rendered($0) }.joined(separator: ", ") + "]"
  }
}

/// All scalars with their places.
private func scalars(_ node: Node) -> [String] {
  switch node {
  case .scalar(let scalar): ["\(scalar.string)@\(scalar.mark.line):\(scalar.mark.column)"]
  case .mapping(let mapping): mapping.pairs.flatMap { scalars($0.key) + scalars($0.value) }
  case .sequence(let sequence): sequence.items.flatMap { scalars($0) }
  }
}

private func syntax(
  _ problem: String, _ line: Int, _ column: Int, _ context: String? = nil, _ contextLine: Int = 1,
  _ contextColumn: Int = 1
) -> YAMLError {
  .syntax(
    problem: problem, at: Mark(line: line, column: column),
    context.map { YAMLError.Context(text: $0, mark: Mark(line: contextLine, column: contextColumn)) })
}

private let many = (0..<40).map { "k\($0): v\n" }.joined()

private func nested(_ levels: Int, inside text: String = "") -> String {
  String(repeating: "[", count: levels) + text + String(repeating: "]", count: levels)
}
