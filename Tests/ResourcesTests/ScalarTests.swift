import Resources
import Testing

/// Durations, addresses and host names, as resources write them.
struct ScalarTests {
  @Test(arguments: [
    ("1s", 1000), ("500ms", 500), ("1.5s", 1500), ("1h2m3s", 3_723_000), ("0.25h", 900_000), ("2000us", 2),
    ("0s", 0), ("1h0m0.5s", 3_600_500),
  ])
  func durations(text: String, milliseconds: Int) {
    #expect(Self.timeout(text).resources.virtualServices.first?.spec.http.first?.timeout?.value == milliseconds)
  }

  @Test(arguments: [
    "5", "5 s", "s", "-5s", "1d", "1s2", "1.2.3s", "\"\"", "1e3s", "999999999999999h", "1x", "'1s '", "0.1ms",
  ])
  func whatIsNoDuration(text: String) {
    #expect(Self.timeout(text).broken.count == 1)
  }

  private static func timeout(_ text: String) -> LoadResult {
    load(
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: a}
      spec:
        hosts: [a.example.com]
        http:
        - timeout: \(text)
          route: [{destination: {host: b}}]
      """)
  }

  @Test(arguments: [
    "1.2.3.4", "0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1%eth0", "2001:db8::8:800:200c:417a",
    "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1::",
  ])
  func addresses(text: String) { #expect(HostRules.isIPLiteral(text)) }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.256", "1.2.3.+4", "1.2.3.4.5", "a:b", "abc:def", ":", ":::", "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3", "12345::", "::1.2.3", "example.com", "1.2.3.4:80",
  ])
  func whatIsNoAddress(text: String) { #expect(!HostRules.isIPLiteral(text)) }

  @Test(
    arguments: [
      ("example.com", nil), ("*.example.com", nil), ("*", nil), ("httpbin", nil), ("example.com.", nil),
      ("", "empty domain name not allowed"), ("*example.com", "partial wildcard \"*example.com\" not allowed"),
      ("a.*.com", "partial wildcard \"a.*.com\" not allowed"),
      ("a..com", "domain name \"a..com\" invalid (label \"\" invalid)"),
      ("-a.com", "domain name \"-a.com\" invalid (label \"-a\" invalid)"),
      ("exa mple.com", "domain name \"exa mple.com\" invalid (label \"exa mple\" invalid)"),
      ("a.123", "domain name \"a.123\" invalid (top level domain \"123\" cannot be all-numeric)"),
    ] as [(String, String?)])
  func hostNames(name: String, problem: String?) {
    #expect(HostRules.problem(with: name, allowsWildcard: true) == problem)
  }

  @Test(
    arguments: [
      ("protocl", "protocol"), ("hots", "hosts"), ("Gatway", "Gateway"), ("virtualservice", "VirtualService"),
      ("SIMPEL", "SIMPLE"), ("xyz", nil),
    ] as [(String, String?)])
  func suggestions(word: String, meant: String?) {
    let known = ["protocol", "hosts", "Gateway", "VirtualService", "SIMPLE", "number"]
    #expect(Suggestion.nearest(to: word, among: known) == meant)
  }
}
