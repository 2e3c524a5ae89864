import Testing

@testable import Routing

@Suite struct RegexTableTests {
  /// RE2's rules (`RE2::Rewrite`): `\0` to `\9` for groups, `\\` for a backslash. A dollar means nothing.
  @Test(arguments: [
    (#"/\1"#, "/b"), (#"\0!"#, "/ab!"), (#"/\\"#, #"/\"#), (#"/\\1"#, #"/\1"#), (#"/\\\1"#, #"/\b"#),
    (#"/\\\\x"#, #"/\\x"#), ("/$1${1}$$", "/$1${1}$$"), (#"/\2\1"#, "/b"), ("", ""),
  ])
  func `replacements are those of RE2`(_ replacement: String, _ expected: String) throws {
    let table = RegexTable()
    let index = try table.add("/a(b)(c)?", anchored: false)
    let found = table.replacing(index, in: Array("/ab".utf8), with: Array(replacement.utf8), MatchContext())
    #expect(found.map { String(decoding: $0, as: UTF8.self) } == expected)
  }
}
