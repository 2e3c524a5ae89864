import Testing

/// Mistakes in HTTP routes, each with what is said and the words of the file that it points at.
struct BrokenHTTPRoutes {
  static let all: [BrokenCase] = [
    BrokenCase(
      "unquoted number",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - match:
          - headers:
              x-version:
                exact: 2
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          12, 18, "2", "error[IST0106]",
          "exact: expected a string, found 2", help: "write \"2\" in quotes")
      ]),
    BrokenCase(
      "two kinds of match",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - match:
          - uri:
              exact: /a
              prefix: /b
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          11, 9, "e", "error[IST0106]",
          "only one of exact, prefix, regex can be set")
      ]),
    BrokenCase(
      "no action",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - match:
          - uri: {prefix: /}
      """,
      [
        Finding(
          9, 5, "m", "error[IST0106]",
          "HTTP route, redirect or direct_response is required")
      ]),
    BrokenCase(
      "route and redirect",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {host: b}
          redirect: {uri: /x}
      """,
      [
        Finding(
          9, 5, "r", "error[IST0106]",
          "HTTP route cannot contain both route and redirect")
      ]),
    BrokenCase(
      "redirect code",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - redirect: {uri: /x, redirectCode: 200}
      """,
      [
        Finding(
          9, 39, "200", "error[IST0106]",
          "200 is not a valid redirect code, must be 3xx")
      ]),
    BrokenCase(
      "duration",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - timeout: 5 s
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 14, "5 s", "error[IST0106]",
          "timeout: invalid duration \"5 s\"", help: "write it as 1s, 500ms or 1h2m")
      ]),
    BrokenCase(
      "duration too precise",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - timeout: 0.0001s
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 14, "0.0001s", "error[IST0106]",
          "timeout: only durations to ms precision are supported")
      ]),
    BrokenCase(
      "negative weight",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {host: b}
            weight: -1
          - destination: {host: c}
            weight: 101
      """,
      [
        Finding(
          11, 15, "-1", "error[IST0106]",
          "weight -1 < 0")
      ]),
    BrokenCase(
      "weights of zero",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {host: b}
          - destination: {host: c}
      """,
      [
        Finding(
          9, 5, "r", "error[IST0106]",
          "total destination weight = 0")
      ]),
    BrokenCase(
      "destination host missing",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {hsot: b}
      """,
      [
        Finding(
          10, 21, "hsot", "error[IST0106]",
          "unknown field \"hsot\"", help: "did you mean \"host\"?")
      ]),
    BrokenCase(
      "retry policy",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - retries: {attempts: 2, retryOn: "5xx, reset"}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 37, "\"5xx, reset\"", "error[IST0106]",
          "\" reset\" is not a valid retryOn policy", help: "write the list without spaces")
      ]),
    BrokenCase(
      "retries of none",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - retries: {retryOn: 5xx}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 14, "{", "error[IST0106]",
          "http retry policy configured when attempts are set to 0 (disabled)")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
