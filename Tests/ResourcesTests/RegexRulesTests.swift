import Testing

@testable import Resources

/// Patterns are RE2's, as Go reads them; replacements refer to groups that there are.
@Suite struct RegexRulesTests {
  @Test(arguments: [
    ("/a(?=b)", "invalid or unsupported Perl syntax: `(?=`"),
    ("/a(?!b)", "invalid or unsupported Perl syntax: `(?!`"),
    ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
    ("(?<!a)b", "invalid named capture: `(?<!a)b`"),
    ("(?<!a)b>c", "invalid named capture: `(?<!a)b>`"),
    ("(?<a-b>c)", "invalid named capture: `(?<a-b>`"),
    ("(?P<>c)", "invalid named capture: `(?P<>`"),
    ("(?P=a)", "invalid or unsupported Perl syntax: `(?P`"),
    ("(?>a)", "invalid or unsupported Perl syntax: `(?>`"),
    ("(?|a|b)", "invalid or unsupported Perl syntax: `(?|`"),
    ("(?#note)", "invalid or unsupported Perl syntax: `(?#`"),
    ("(?R)", "invalid or unsupported Perl syntax: `(?R`"),
    ("(?(1)a|b)", "invalid or unsupported Perl syntax: `(?(`"),
    ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
    ("(?'n'a)", "invalid or unsupported Perl syntax: `(?'`"),
    ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
    ("(?i", "missing closing ): `(?i`"),
    ("(*UTF8)a", "missing argument to repetition operator: `*`"),
    ("(a)\\1", "invalid escape sequence: `\\1`"),
    ("\\9", "invalid escape sequence: `\\9`"),
    ("\\k<a>", "invalid escape sequence: `\\k`"),
    ("\\K", "invalid escape sequence: `\\K`"),
    ("\\Ga", "invalid escape sequence: `\\G`"),
    ("a\\Z", "invalid escape sequence: `\\Z`"),
    ("\\R", "invalid escape sequence: `\\R`"),
    ("\\h+", "invalid escape sequence: `\\h`"),
    ("\\ex", "invalid escape sequence: `\\e`"),
    ("\\xg0", "invalid escape sequence: `\\xg`"),
    ("\\x{}", "invalid escape sequence: `\\x{`"),
    ("[\\b]", "invalid escape sequence: `\\b`"),
    ("[a-\\d]", "invalid escape sequence: `\\d`"),
    ("a\\", "trailing backslash at end of expression: ``"),
    ("a++", "invalid nested repetition operator: `++`"),
    ("a*+b", "invalid nested repetition operator: `*+`"),
    ("a?+", "invalid nested repetition operator: `?+`"),
    ("a{2}+", "invalid nested repetition operator: `{2}+`"),
    ("a**", "invalid nested repetition operator: `**`"),
    ("a*??", "invalid nested repetition operator: `*??`"),
    ("*a", "missing argument to repetition operator: `*`"),
    ("a|+", "missing argument to repetition operator: `+`"),
    ("(?:{2})", "missing argument to repetition operator: `{2}`"),
    ("a{1001}", "invalid repeat count: `{1001}`"),
    ("a{3,2}", "invalid repeat count: `{3,2}`"),
    ("a{99999999999999999999}", "invalid repeat count: `{99999999999999999999}`"),
    ("(a", "missing closing ): `(a`"),
    ("a)", "unexpected ): `a)`"),
    ("[a", "missing closing ]: `[a`"),
    ("[]", "missing closing ]: `[]`"),
    ("[[:vowel:]]", "invalid character class range: `[:vowel:]`"),
    ("\\p{L&}", "invalid character class range: `\\p{L&}`"),
    ("\\p{L", "invalid character class range: `\\p{L`"),
  ])
  func `what RE2 does not have is refused in Go's words`(_ pattern: String, _ problem: String) {
    #expect(RegexSyntax(pattern).problem == "error parsing regexp: \(problem)")
  }

  @Test(arguments: [
    ("", 0), ("/api/.*", 0), ("(a)(b)?", 2), ("(?:a)(b)", 1), ("(?P<n>a)", 1), ("(?<n>a)(?P<m>b)", 2), ("(?i)/abc", 0),
    ("(?i-s:a)(b)", 1), ("(?U)a+", 0), ("(?-i)a", 0), ("a{,2}", 0), ("a{", 0), ("a{x}", 0), ("a{2}{", 0), ("{", 0),
    ("a{2,1000}?", 0), ("a??", 0), ("a+?", 0), ("^*", 0), ("(a|b)*", 1), ("(|a)+", 1), ("[]a]", 0), ("[^]a]", 0),
    ("[a-]", 0), ("[-a]", 0), ("[\\d\\w.-]+", 0), ("[[:alpha:][:^digit:]]", 0), ("[(?=)*+]", 0), ("[[]", 0),
    ("\\.\\/\\-\\_\\[\\(", 0), ("\\012\\0\\17", 0), ("\\x41\\x{1F600}", 0), ("\\pL\\p{Greek}\\P{^Lu}", 0),
    ("\\Aa\\b\\B\\z", 0), ("\\Q(?=\\E(a)", 1), ("\\Q(?=", 0), ("\\a\\f\\n\\r\\t\\v", 0), ("\u{E9}+", 0), ("(?s).*", 0),
    ("/u/([0-9]+)/(edit|view)", 2), ("/(\\w+/)*admin(/.*)?", 2),
  ])
  func `what RE2 has is accepted, and its groups are counted`(_ pattern: String, _ groups: Int) {
    let syntax = RegexSyntax(pattern)
    #expect(syntax.problem == nil && syntax.groups == groups)
  }

  private static let rule =
    "hosts: [a.test]\ngateways: [gw]\nhttp:\n- route: [{destination: {host: b.test}}]\n  "
  private static let wiki = "; Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)"
  private static let look = "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" + wiki
  private static let escape = "error parsing regexp: invalid escape sequence: `\\1`" + wiki
  private static let long = "/" + String(repeating: "a", count: 1024)

  static let virtualServices: [(String, String)] = [
    (rule + "match: [{uri: {regex: ‹/a(?=b)›}}]", "\"uri\": \(look)"),
    (rule + "match: [{method: {regex: ‹a(?=b)›}}]", "\"method\": \(look)"),
    (rule + "match: [{headers: {x: {regex: ‹'(a)\\1'›}}}]", "\"headers\": \(escape)"),
    (rule + "match: [{withoutHeaders: {x: {regex: ‹a(?=b)›}}}]", "\"withoutHeaders\": \(look)"),
    (rule + "match: [{queryParams: {x: {regex: ‹a(?=b)›}}}]", "\"queryParams\": \(look)"),
    (rule + "corsPolicy: {allowOrigins: [{regex: ‹a(?=b)›}]}", "\"corsAllowOrigins\": \(look)"),
    (rule + "match: [{uri: {regex: ‹\(long)›}}]", "\"uri\": regex is too large, max length allowed is 1024"),
    (rule + "rewrite: {uriRegexRewrite: {match: ‹a(?=b)›, rewrite: /}}", "\"uriRegexRewrite\": \(look)"),
    (
      rule + "rewrite: {uriRegexRewrite: {match: '^/rg/(.*)$', rewrite: ‹'/\\3/x'›}}",
      "the replacement refers to \\3, and the pattern has 1 group"
    ),
    (
      rule + "rewrite: {uriRegexRewrite: {match: /rg, rewrite: ‹'/\\1'›}}",
      "the replacement refers to \\1, and the pattern has no groups"
    ),
    (
      rule + "rewrite: {uriRegexRewrite: {match: '/(a)', rewrite: ‹'/\\0\\1\\d'›}}",
      "the replacement has a backslash that neither a digit nor a backslash follows"
    ),
    (
      rule + "rewrite: {uriRegexRewrite: {match: '/(a)', rewrite: ‹'/a\\'›}}",
      "the replacement has a backslash that neither a digit nor a backslash follows"
    ),
  ]

  @Test(arguments: virtualServices)
  func `a pattern or replacement that Istio or Envoy refuses is said at its token`(_ spec: String, _ message: String) {
    let placed = PlacedSpec("VirtualService", spec)
    var result = LoadResult()
    ResourceLoader.load(text: Array(placed.yaml.utf8), file: "t.yaml", into: &result)
    #expect(result.diagnostics.map(\.message) == [message])
    #expect(result.diagnostics.map(\.code) == ["IST0106"])
    let place = result.diagnostics.first?.location
    #expect(place?.line == placed.line && place?.column == placed.column)
    #expect(result.resources.virtualServices.isEmpty)
  }

  @Test(arguments: [
    "match: [{headers: {x: {regex: '*'}}}]", "match: [{uri: {regex: '/v[0-9]+(?:/.*)?'}}]",
    "rewrite: {uriRegexRewrite: {match: '/(a)(b)', rewrite: '/\\2\\1\\0\\\\$'}}",
  ])
  func `what Istio takes is taken`(_ rule: String) {
    let placed = PlacedSpec("VirtualService", Self.rule + rule)
    var result = LoadResult()
    ResourceLoader.load(text: Array(placed.yaml.utf8), file: "t.yaml", into: &result)
    #expect(result.diagnostics.map(\.message) == [])
  }
}
