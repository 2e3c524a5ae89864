import Testing

/// Mistakes in documents, each with what is said and the words of the file that it points at.
struct BrokenDocuments {
  static let all: [BrokenCase] = [
    BrokenCase(
      "duplicate key",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts: ["*"]
          name: a
          hosts: ["b.example.com"]
      """,
      [
        Finding(
          10, 5, "hosts", "error[IST0106]",
          "field \"hosts\" is given twice", help: "the first is in line 8")
      ]),
    BrokenCase(
      "both spellings of a field",
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
            credential_name: d
      """,
      [
        Finding(
          12, 7, "credential_name", "error[IST0106]",
          "field \"credential_name\" is given twice")
      ]),
    BrokenCase(
      "tab",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
      \thosts: ["*"]
      """,
      [
        Finding(
          8, 1, "\t", "error[IST0106]",
          "invalid YAML: found character that cannot start any token (while scanning for the next token)",
          help: "YAML is indented with spaces, never with tabs")
      ]),
    BrokenCase(
      "indentation",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
         hosts: ["*"]
      """,
      [
        Finding(
          8, 4, "h", "error[IST0106]",
          "invalid YAML: did not find expected key (while parsing a block mapping)",
          help: "check the indentation of this line and the one before")
      ]),
    BrokenCase(
      "unclosed quote",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts: ["*]
      """,
      [
        Finding(
          8, 13, "\"", "error[IST0106]",
          "invalid YAML: found unexpected end of stream (while scanning a quoted scalar)",
          help: "a quote or bracket is not closed")
      ]),
    BrokenCase(
      "alias of nothing",
      """
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata:
        name: gw
      spec:
        servers:
        - port: {number: 80, name: http, protocol: HTTP}
          hosts: [*.example.com]
      """,
      [
        Finding(
          8, 13, "*", "error[IST0106]",
          "invalid YAML: did not find expected alphabetic or numeric character (while scanning an alias)",
          help: "quote a value that begins with *")
      ]),
    BrokenCase(
      "kind misspelled",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualServce
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
      """,
      [
        Finding(
          2, 7, "VirtualServce", "warning[SP1002]",
          "unknown kind \"VirtualServce\" is ignored", help: "did you mean \"VirtualService\"?")
      ]),
    BrokenCase(
      "kind of no group",
      """
      apiVersion: v1
      kind: VirtualServce
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
      """,
      [
        Finding(
          2, 7, "VirtualServce", "warning[SP1002]",
          "unknown kind \"VirtualServce\" is ignored", help: "did you mean \"VirtualService\"?")
      ]),
    BrokenCase(
      "version not served",
      """
      apiVersion: networking.istio.io/v1beta2
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
      """,
      [
        Finding(
          1, 13, "networking.istio.io/v1beta2", "error[IST0106]",
          "apiVersion \"networking.istio.io/v1beta2\" is not served for VirtualService",
          help: "one of networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3")
      ]),
    BrokenCase(
      "group misspelled",
      """
      apiVersion: networking.istio.oi/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
      """,
      [
        Finding(
          1, 13, "networking.istio.oi/v1", "error[IST0106]",
          "apiVersion \"networking.istio.oi/v1\" has no kind VirtualService",
          help: "did you mean \"networking.istio.io/v1\"?")
      ]),
    BrokenCase(
      "kind of another group",
      """
      apiVersion: security.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
      """,
      [
        Finding(
          1, 13, "security.istio.io/v1", "error[IST0106]",
          "apiVersion \"security.istio.io/v1\" has no kind VirtualService",
          help: "did you mean \"networking.istio.io/v1\"?")
      ]),
    BrokenCase(
      "kind missing",
      """
      apiVersion: networking.istio.io/v1
      knd: Gateway
      metadata:
        name: gw
      """,
      [
        Finding(
          1, 1, "a", "error[IST0106]",
          "kind is missing", help: "\"knd\" should be \"kind\"")
      ]),
    BrokenCase(
      "name missing",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        namespace: ns
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          3, 1, "metadata", "error[IST0106]",
          "metadata.name is required")
      ]),
    BrokenCase(
      "metadata misspelled",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
        nmespace: ns
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          5, 3, "nmespace", "error[IST0106]",
          "unknown field \"nmespace\"", help: "did you mean \"namespace\"?")
      ]),
    BrokenCase(
      "a list is not a map",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: a.example.com
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          6, 10, "a.example.com", "error[IST0106]",
          "hosts: expected a list, found \"a.example.com\"")
      ]),
    BrokenCase(
      "secret is not base64",
      """
      apiVersion: v1
      kind: Secret
      metadata:
        name: s
      data:
        tls.crt: "-----BEGIN"
      """,
      [
        Finding(
          6, 12, "\"-----BEGIN\"", "error[IST0106]",
          "data.tls.crt: not base64", help: "plain text belongs into stringData")
      ]),
    BrokenCase(
      "secret in plain numbers",
      """
      apiVersion: v1
      kind: Secret
      metadata:
        name: s
      stringData:
        password: 123456
      """,
      [
        Finding(
          6, 13, "123456", "error[IST0106]",
          "stringData.password: expected a string, found a number or boolean", help: "write the value in quotes")
      ]),
    BrokenCase(
      "service of another API",
      """
      apiVersion: apps/v1
      kind: Service
      metadata:
        name: s
      spec: {}
      """,
      [
        Finding(
          1, 13, "apps/v1", "error[IST0106]",
          "apiVersion \"apps/v1\" has no kind Service", help: "did you mean \"v1\"?")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
