import Testing

/// Mistakes in what an HTTP route does besides routing, each with what is said and the words of the file that it points
/// at.
struct BrokenHTTPActions {
  static let all: [BrokenCase] = [
    BrokenCase(
      "header name",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - headers: {request: {set: {"x y": z}}}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 31, "\"x y\"", "error[IST0106]",
          "header name x y is not a valid header name")
      ]),
    BrokenCase(
      "percent sign in a header",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - headers: {request: {set: {x: 50% off}}}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 34, "50% off", "error[IST0106]",
          "header value configuration: invalid header configuration. Un-escaped % in \"50% off\"",
          help: "write %% for a percent sign")
      ]),
    BrokenCase(
      "fault status",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - fault: {abort: {httpStatus: 99}}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 33, "99", "error[IST0106]",
          "HTTP status 99 is not in range 200-599")
      ]),
    BrokenCase(
      "fault percentage",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - fault: {delay: {fixedDelay: 1s, percentage: {value: 101}}}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 57, "101", "error[IST0106]",
          "percentage 101.0 is neither 0.0, nor in range [0.0001, 100.0]")
      ]),
    BrokenCase(
      "cors method",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - corsPolicy: {allowMethods: [GTE]}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          9, 33, "GTE", "error[IST0106]",
          "\"GTE\" is not a supported HTTP method", help: "did you mean \"GET\"?")
      ]),
    BrokenCase(
      "mirror and mirrors",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - mirror: {host: b}
          mirrors:
          - destination: {host: c}
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          10, 5, "mirrors", "error[IST0106]",
          "HTTP route cannot contain both mirror and mirrors")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
