import Testing

/// Mistakes in destination rules, each with what is said and the words of the file that it points at.
struct BrokenDestinationRules {
  static let all: [BrokenCase] = [
    BrokenCase(
      "empty traffic policy",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy: {}
      """,
      [
        Finding(
          7, 18, "{", "error[IST0106]",
          "traffic policy must have at least one field")
      ]),
    BrokenCase(
      "subset without a name",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        subsets:
        - labels: {a: b}
      """,
      [
        Finding(
          8, 5, "l", "error[IST0106]",
          "subset name cannot be empty")
      ]),
    BrokenCase(
      "subset twice",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        subsets:
        - name: a
        - name: a
      """,
      [
        Finding(
          9, 11, "a", "error[IST0106]",
          "duplicate subset names: a")
      ]),
    BrokenCase(
      "mutual without certificate",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          tls:
            mode: MUTUAL
            privateKey: /k
      """,
      [
        Finding(
          9, 7, "m", "error[IST0106]",
          "client certificate required for mutual tls")
      ]),
    BrokenCase(
      "skip verify with names",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          tls:
            mode: SIMPLE
            insecureSkipVerify: true
            subjectAltNames: [a]
      """,
      [
        Finding(
          9, 7, "m", "error[IST0106]",
          "cannot specify CaCertificates or CredentialName or SubjectAltNames when InsecureSkipVerify is set true")
      ]),
    BrokenCase(
      "inside outlier detection",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          outlierDetection:
            consecutive5xxError: 5
      """,
      [
        Finding(
          9, 7, "consecutive5xxError", "error[IST0106]",
          "unknown field \"consecutive5xxError\"", help: "did you mean \"consecutive5xxErrors\"?")
      ]),
    BrokenCase(
      "simple and hash",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          loadBalancer:
            simple: RANDOM
            consistentHash: {useSourceIp: true}
      """,
      [
        Finding(
          10, 7, "consistentHash", "error[IST0106]",
          "only one of simple, consistentHash can be set")
      ]),
    BrokenCase(
      "maglev table",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          loadBalancer:
            consistentHash: {useSourceIp: true, maglev: {tableSize: 10}}
      """,
      [
        Finding(
          9, 63, "10", "error[IST0106]",
          "tableSize must be a prime number")
      ]),
    BrokenCase(
      "boolean in quotes",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          tls:
            mode: SIMPLE
            insecureSkipVerify: "true"
      """,
      [
        Finding(
          10, 27, "\"true\"", "error[IST0106]",
          "insecureSkipVerify: expected true or false, found \"true\"")
      ]),
    BrokenCase(
      "port level without port",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          portLevelSettings:
          - tls: {mode: SIMPLE}
      """,
      [
        Finding(
          9, 7, "t", "error[IST0106]",
          "portTrafficPolicy must have valid port")
      ]),
    BrokenCase(
      "pool",
      """
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata:
        name: dr
      spec:
        host: a.example.com
        trafficPolicy:
          connectionPool:
            http: {http2MaxRequests: -1}
      """,
      [
        Finding(
          9, 32, "-1", "error[IST0106]",
          "http2 max requests must be non-negative")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
