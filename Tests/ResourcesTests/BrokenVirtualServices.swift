import Testing

/// Mistakes in virtual services, each with what is said and the words of the file that it points at.
struct BrokenVirtualServices {
  static let all: [BrokenCase] = [
    BrokenCase(
      "wildcard in the mesh",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: ["*"]
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          6, 11, "\"*\"", "error[IST0106]",
          "wildcard host * is not allowed for virtual services bound to the mesh gateway",
          help: "without \"gateways\" a VirtualService is bound to the mesh")
      ]),
    BrokenCase(
      "gateway reference",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [ns/]
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          7, 14, "ns/", "error[IST0106]",
          "config namespace and gateway name cannot be empty")
      ]),
    BrokenCase(
      "legacy gateway reference",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw.ns]
        http:
        - route:
          - destination: {host: b}
      """,
      [
        Finding(
          7, 14, "gw.ns", "warning[IST0133]",
          "using legacy gatewayName format \"gw.ns\"; prefer the <namespace>/<name> format: \"ns/gw\"")
      ]),
    BrokenCase(
      "server name of no host",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        tls:
        - match:
          - port: 443
            sniHosts: [b.example.com]
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          11, 18, "b.example.com", "error[IST0106]",
          "SNI host \"b.example.com\" is not a compatible subset of any of the virtual service hosts: [a.example.com]")
      ]),
    BrokenCase(
      "subnet",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        tcp:
        - match:
          - destinationSubnets: [10.0.0.0/33]
          route:
          - destination: {host: b}
      """,
      [
        Finding(
          10, 28, "10.0.0.0/33", "error[IST0106]",
          "10.0.0.0/33 is not a valid CIDR block")
      ]),
    BrokenCase(
      "an empty list of routes",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
        http: []
      """,
      [
        Finding(8, 3, "http", "error[IST0106]", "http, tcp or tls must be provided in virtual service")
      ]),
    BrokenCase(
      "nothing to route",
      """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata:
        name: vs
      spec:
        hosts: [a.example.com]
        gateways: [gw]
      """,
      [
        Finding(
          6, 3, "h", "error[IST0106]",
          "http, tcp or tls must be provided in virtual service")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
