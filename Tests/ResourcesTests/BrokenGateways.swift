import Testing

/// Mistakes in Gateways, each with what is said and the words of the file that it points at.
struct BrokenGateways {
  static let all: [BrokenCase] = [
    BrokenCase(
      "unknown field",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        selecter:
          istio: ingressgateway
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts: ["*"]
      """,
      [
        Finding(
          6, 3, "selecter", "error[IST0106]",
          "unknown field \"selecter\"", help: "did you mean \"selector\"?")
      ]),
    BrokenCase(
      "unknown field in a list item",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port:
            number: 80
            name: http
            protocl: HTTP
          hosts: ["*"]
      """,
      [
        Finding(
          10, 7, "protocl", "error[IST0106]",
          "unknown field \"protocl\"", help: "did you mean \"protocol\"?")
      ]),
    BrokenCase(
      "mistyped number",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: eighty, name: http, protocol: HTTP}
          hosts: ["*"]
      """,
      [
        Finding(
          7, 20, "eighty", "error[IST0106]",
          "number: expected an integer, found \"eighty\"")
      ]),
    BrokenCase(
      "port out of range",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 70000, name: http, protocol: HTTP}
          hosts: ["*"]
      """,
      [
        Finding(
          7, 20, "70000", "error[IST0106]",
          "port number 70000 must be in the range 1..65535")
      ]),
    BrokenCase(
      "unknown protocol",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTPP}
          hosts: ["*"]
      """,
      [
        Finding(
          7, 46, "HTPP", "error[IST0106]",
          "invalid protocol \"HTPP\", supported protocols are HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP, TLS",
          help: "did you mean \"HTTP\"?")
      ]),
    BrokenCase(
      "unknown enum value",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 443, name: https, protocol: HTTPS}
          hosts: ["*"]
          tls:
            mode: SIMPEL
            credentialName: c
      """,
      [
        Finding(
          10, 13, "SIMPEL", "error[IST0106]",
          "mode: unknown value \"SIMPEL\"", help: "did you mean \"SIMPLE\"?")
      ]),
    BrokenCase(
      "HTTPS without tls",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 443, name: https, protocol: HTTPS}
          hosts: ["*"]
      """,
      [
        Finding(
          7, 5, "p", "error[IST0106]",
          "server must have TLS settings for HTTPS/TLS protocols")
      ]),
    BrokenCase(
      "credential without mode",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 443, name: https, protocol: HTTPS}
          hosts: ["*"]
          tls:
            credentialName: c
      """,
      [
        Finding(
          10, 23, "c", "error[IST0106]",
          "credentialName is set, but tls.mode is omitted, which means PASSTHROUGH: the certificate would never be used",
          help: "add \"mode: SIMPLE\"")
      ]),
    BrokenCase(
      "short host",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts:
          - httpbin
      """,
      [
        Finding(
          9, 7, "httpbin", "error[IST0106]",
          "short names (non FQDN) are not allowed: \"httpbin\"")
      ]),
    BrokenCase(
      "partial wildcard",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts:
          - a.example.com
          - "*foo.example.com"
      """,
      [
        Finding(
          10, 7, "\"*foo.example.com\"", "error[IST0106]",
          "partial wildcard \"*foo.example.com\" not allowed")
      ]),
    BrokenCase(
      "duplicate port name",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts: ["*"]
        - port: {number: 81, name: http, protocol: HTTP}
          hosts: ["*"]
      """,
      [
        Finding(
          9, 30, "http", "error[IST0106]",
          "port names in servers must be unique: duplicate name http")
      ]),
    BrokenCase(
      "no hosts",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
      """,
      [
        Finding(
          7, 5, "p", "error[IST0106]",
          "server config must contain at least one host")
      ]),
    BrokenCase(
      "bind is not an address",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          bind: localhost
          hosts: ["*"]
      """,
      [
        Finding(
          8, 11, "localhost", "error[IST0106]",
          "\"localhost\" is not a valid IP address")
      ]),
    BrokenCase(
      "cipher suite",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 443, name: https, protocol: HTTPS}
          hosts: ["*"]
          tls:
            mode: SIMPLE
            credentialName: c
            cipherSuites:
            - ECDHE-RSA-AES128-GCM-SHA265
      """,
      [
        Finding(
          13, 9, "ECDHE-RSA-AES128-GCM-SHA265", "warning[IST0133]",
          "ignoring invalid cipher suites: [ECDHE-RSA-AES128-GCM-SHA265]",
          help: "did you mean \"ECDHE-RSA-AES128-GCM-SHA256\"?")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
