import Testing

@testable import Routing

@Suite struct TextLanguageTests {
  /// Expressions, and a shortest text that the first matches and the second does not; nil: there is none.
  @Test(arguments: [
    ("v[123]", "v[12]", "v3"), ("v[12]", "v[123]", nil), ("[12]", "(1|2)", nil), ("(1|2)", "[12]", nil),
    ("/a/.+", "/a/[^/]+", "/a//"), ("(?i)/abc", "/abc", "/abC"), ("/abc", "(?i)/abc", nil),
    ("[0-9]+", "[0-9]{1,4}", "00000"), ("[0-9]{5}", "[0-9]+", nil), ("a*", "a+", ""), ("a{2,}", "aa+", nil),
    ("(a|b)*", "[ab]*", nil), ("^a$", "a", nil), ("(?:a|b)c??", "[ab]", "ac"), (".*", "[^é]*", "é"),
    ("\\w", "[[:alnum:]]", "_"), ("[]a]", "a", "]"), ("[\\d.-]", "\\d", "-"), ("(?i:a)b", "ab", "Ab"),
    ("a(?i)b|c", "ab|c", "C"), ("(^a|b)$", "a", "b"), ("(?P<x>a)", "(?<y>a)", nil),
  ])
  func `finds the shortest text that one expression matches and another does not`(
    _ wanted: String, _ unwanted: String, _ text: String?
  ) throws {
    let unwantedLanguage: TextLanguage =
      unwanted == "[^é]*"
      ? .repeated(.symbol(SymbolSet.all.subtracting(SymbolSet([SymbolSet.foreign]))))
      : try #require(RegexReader.language(unwanted))
    let search = TextLanguage.text(in: [try #require(RegexReader.language(wanted))], notIn: [unwantedLanguage])
    #expect(search == text.map { .found($0) } ?? .none)
  }

  /// The data plane's expressions are the judge.
  @Test(arguments: [
    "/a", "/[0-9]+", "/v[12]/.*", "/(a|b)/c?", "/x{2,3}", "^/a$", "/[^/]+/x", "/\\d+\\.html", "/(?:a|b)*", "(?i)/a",
    "/(?<id>[a-z]+)", "/[\\w-]+", ".*", "/[]a]", "/a|/b", "/\\w+/\\W", "a(?i)b|c", "[\\d.-]", "x{0,2}y{2}", "(a|)b",
    "(?i:a)b", "(a(?i)b)c", "/[^a-y]", "\\S+\\s?", "a|b$|^c",
  ])
  func `reads expressions as the data plane does`(_ pattern: String) throws {
    let table = RegexTable()
    let index = try table.add(pattern)
    let language = try #require(RegexReader.language(pattern))
    let context = MatchContext()
    var texts = ["", "/", "/a", "/A", "/1", "/12.html", "/v1/", "/v3/x", "/a/", "/b/c", "/xx", "/xxxx", "/ab/x", "//x"]
    texts += [
      "a", "b", "c", "ab", "aB", "AB", "abc", "abC", "aBc", "C", "yy", "xyy", "xxxyy", "/a/-", "/z", "/]", "-", " x ",
    ]
    for text in texts {
      let bytes = Array(text.utf8)
      let isIn = bytes.reduce(language) { $0.after($1) }.hasEmptyText
      #expect(isIn == table.matches(index, bytes.span.raw, context), "\(pattern): \(text)")
    }
  }

  @Test(arguments: [
    "/(?=a)a", "/(a", "(a)\\1", "\\pL", "/a{x}", "a++", "\\ba", "(?>a)", "(?<=a)b", "a^b", "(a$)b", "é", "a{101}",
    "(?x)a",
  ])
  func `leaves alone what is not a set of texts, or too much`(_ pattern: String) {
    #expect(RegexReader.language(pattern) == nil)
  }

  @Test(arguments: [
    ("^/v1/(.*)", "/v1/", true), ("^/v1/(.*)", "/x/v1/", false), ("v1", "/x/v1/", true), ("v1$", "/v1/", false),
    ("a|^b", "/b", false), ("a|^b", "/a", true),
  ])
  func `knows texts in which an expression is found somewhere`(_ pattern: String, _ text: String, _ isFound: Bool)
    throws
  {
    let language = try #require(RegexReader.searching(pattern))
    #expect(text.utf8.reduce(language) { $0.after($1) }.hasEmptyText == isFound)
  }

  @Test func `gives up instead of searching for ever`() throws {
    let big = try #require(RegexReader.language("(a|b)*a(a|b){60}"))
    let other = try #require(RegexReader.language("(a|b)*b(a|b){60}"))
    #expect(TextLanguage.text(in: [big], notIn: [.anything]) == .none)
    #expect(TextLanguage.text(in: [big, other], notIn: [big]) != .found(""))
  }
}
