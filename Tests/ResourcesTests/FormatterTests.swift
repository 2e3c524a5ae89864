import Testing

@testable import Resources

/// `fmt`: canonical, with its comments, and the same resources as before.
@Suite struct FormatterTests {
  private func format(_ text: String) -> String {
    let output = ResourceFormatter.format(Array(text.utf8), file: "test.yaml")
    #expect(output.error == nil)
    return String(decoding: output.text, as: UTF8.self)
  }

  static let cases: [(String, String)] = [
    (
      // Order, quotes, flow collections, indentation of lists.
      """
      kind: "VirtualService"
      spec:
          http:
            - route: [ {destination: {host: "b", port: {number: 80}}} ]
              timeout: '5s'
          hosts: ["*", 'a.example.com', "yes", "80"]
      metadata: {labels: {}, name: v}
      apiVersion: networking.istio.io/v1
      """,
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: v
        labels: {}
      spec:
        http:
        - route:
          - destination:
              host: b
              port:
                number: 80
          timeout: 5s
        hosts:
        - "*"
        - a.example.com
        - "yes"
        - "80"

      """
    ),
    (
      // Comments: at the top, before fields and items, behind values, inside flow collections, at the end.
      """
      # top
      apiVersion: v1   # version
      # the kind
      kind: ConfigMap

      # about data
      data: # all of it
          # first
          a: "x # no comment"   # second
          b: 'it''s # none'
          list: [a, # of a
             b]
          # last
      # end
      """,
      """
      # top
      apiVersion: v1 # version
      # the kind
      kind: ConfigMap

      # about data
      data: # all of it
        # first
        a: "x # no comment" # second
        b: "it's # none"
        list: # of a
        - a
        - b
      # last
      # end

      """
    ),
    (
      // Block scalars keep their lines, a `#` in them is text.
      """
      kind: Secret
      apiVersion: v1
      stringData:
          tls.crt: |
              # not a comment
              two

              three
          folded: >-
              one
              two
          last: |-
              a
              b
      """,
      """
      apiVersion: v1
      kind: Secret
      stringData:
        tls.crt: |
          # not a comment
          two

          three
        folded: one two
        last: |-
          a
          b

      """
    ),
    (
      // Regular expressions stay readable.
      #"""
      a: "^/v([0-9]+)\\.x$"
      b: '\d+'
      c: "tab\there"
      """#,
      #"""
      a: '^/v([0-9]+)\.x$'
      b: '\d+'
      c: "tab\there"

      """#
    ),
    ("---\n# nothing but this\n---\na: 1\n---\n\n---\nb: 2\n", "# nothing but this\n---\na: 1\n---\nb: 2\n"),
    ("a:\nb: ~\nc: null\nd: \"\"\ne: 0x1F\nf: 1.50\n", "a:\nb: ~\nc: null\nd: \"\"\ne: 0x1F\nf: 1.50\n"),
    ("[]\n", "[]\n"),
    // What stands at the top stays there, and comments stay with their fields, in whatever order the fields were.
    (
      "# Licence\n\n# what this is\n\nspec: {a: b}\n\n# md\nmetadata:\n  # ns\n  namespace: n\n  # nm\n  name: m\n# k\nkind: X\napiVersion: v1\n",
      "# Licence\n\n# what this is\n\napiVersion: v1\n# k\nkind: X\n\n# md\nmetadata:\n  # nm\n  name: m\n  # ns\n  namespace: n\nspec:\n  a: b\n"
    ),
    (
      "kind: X\napiVersion: v1\n---\n# two\nkind: X\napiVersion: v2\n",
      "apiVersion: v1\nkind: X\n---\n# two\napiVersion: v2\nkind: X\n"
    ),
  ]

  @Test(arguments: cases)
  func `the canonical form`(_ text: String, _ expected: String) {
    #expect(format(text) == expected)
    #expect(format(expected) == expected)
  }

  @Test func `documents with anchors stay as they are, which is said`() {
    let text = "a: &x {b: 1}\nc: *x\n---\nd:   1\n"
    let output = ResourceFormatter.format(Array(text.utf8), file: "test.yaml")
    #expect(String(decoding: output.text, as: UTF8.self) == "a: &x {b: 1}\nc: *x\n---\nd: 1\n")
    #expect(output.kept == ["line 1: it has anchors or aliases"])
  }

  @Test(arguments: cases)
  func `lines end as they did`(_ text: String, _ expected: String) {
    let output = format(text.replacing("\n", with: "\r\n"))
    #expect(Array(output.utf8) == Array(expected.replacing("\n", with: "\r\n").utf8))
  }

  /// Files that stay as they are, and why.
  @Test(arguments: [
    ("a: &x 1\nb:   *x", "line 1: it has anchors or aliases"),
    ("---\na:   &x 1\n\n", "line 2: it has anchors or aliases"),
    ("a:   1\nb: \"x\n  y\" # one\n", "line 1: there is no place for its comment in line 3"),
    ("# one\n%YAML 1.2\n---\na:   1\n", "line 2: it has directives"),
    ("a:   1\r\nb: !x 2\r\n", "line 1: it has tags"),
  ])
  func `what cannot be formatted stays as it is to the byte`(_ text: String, _ why: String) {
    let bytes = Array(text.utf8)
    let output = ResourceFormatter.format(bytes, file: "test.yaml")
    #expect(output.text == bytes && output.kept == [why] && output.error == nil)
  }

  @Test func `what is no YAML is not touched`() {
    let text = Array("a: [".utf8)
    let output = ResourceFormatter.format(text, file: "test.yaml")
    #expect(output.text == text && output.error?.code == "IST0106")
  }

  @Test func `the repository's own resources keep their meaning and comments`() throws {
    let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }
    let files = ["gateways", "examples"].flatMap { ConfigurationFiles("\(root)/\($0)")?.files ?? [] }
    #expect(files.count > 8)
    for file in files {
      let bytes = try #require(FileSystem.read(file))
      let output = ResourceFormatter.format(bytes, file: file)
      #expect(output.error == nil && output.kept.isEmpty, "\(file): \(output.kept)")
      let before = load(String(decoding: bytes, as: UTF8.self))
      let after = load(String(decoding: output.text, as: UTF8.self))
      #expect(before.resources.count == after.resources.count)
      #expect(before.diagnostics.map(\.message) == after.diagnostics.map(\.message))
      #expect(ResourceFormatter.format(output.text, file: file).text == output.text, "\(file) is not stable")
    }
  }
}
