import Testing

@testable import Wire

@Suite struct TimePatternTests {
  @Test(arguments: [
    ("%Y-%m-%dT%H:%M:%S", "2026-08-02T13:04:05"), ("%FT%T.%3fZ", "2026-08-02T13:04:05.067Z"), ("%s", "1785675845"),
    ("%s.%f", "1785675845.067089012"), ("%6f", "067089"), ("%e %b %y %a %I%p", " 2 Aug 26 Sun 01PM"),
    ("%z %Z %u %w %R %%", "+0000 UTC 7 0 13:04 %"), ("%q %", "%q %"), ("", ""),
  ])
  func `patterns of strftime`(pattern: String, text: String) {
    let result = Timestamp.format(Array(pattern.utf8), epochNanoseconds: 1_785_675_845_067_089_012)
    #expect(String(decoding: result, as: UTF8.self) == text)
  }
}
