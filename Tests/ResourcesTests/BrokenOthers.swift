import Testing

/// Mistakes in service entries, policies, probes and operators, each with what is said and the words of the file that
/// it points at.
struct BrokenOthers {
  static let all: [BrokenCase] = [
    BrokenCase(
      "host of everything",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: ["*"]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        resolution: DNS
      """,
      [
        Finding(
          6, 11, "\"*\"", "error[IST0106]",
          "invalid host *")
      ]),
    BrokenCase(
      "endpoint is no address",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        resolution: STATIC
        endpoints:
        - address: b.example.com
      """,
      [
        Finding(
          11, 14, "b.example.com", "error[IST0106]",
          "endpoint address \"b.example.com\" is not a valid IP address")
      ]),
    BrokenCase(
      "endpoints of none",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        endpoints:
        - address: 10.0.0.1
      """,
      [
        Finding(
          10, 5, "a", "error[IST0106]",
          "no endpoints should be provided for resolution type none",
          help: "an omitted resolution means NONE; add \"resolution: STATIC\" or \"resolution: DNS\"")
      ]),
    BrokenCase(
      "endpoint port",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        resolution: STATIC
        endpoints:
        - address: 10.0.0.1
          ports: {tsl: 8443}
      """,
      [
        Finding(
          12, 13, "tsl", "error[IST0106]",
          "endpoint port tsl is not defined by the service entry", help: "did you mean \"tls\"?")
      ]),
    BrokenCase(
      "port twice",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        - {number: 443, name: tls2, protocol: TLS}
        resolution: DNS
      """,
      [
        Finding(
          9, 14, "443", "error[IST0106]",
          "service entry port 443 already defined")
      ]),
    BrokenCase(
      "ranges of names",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        addresses: [10.0.0.0/8]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        resolution: DNS
      """,
      [
        Finding(
          7, 15, "10.0.0.0/8", "error[IST0106]",
          "CIDR addresses are allowed only for NONE/STATIC resolution types")
      ]),
    BrokenCase(
      "export to all and some",
      """
      apiVersion: networking.istio.io/v1
      kind: ServiceEntry
      metadata:
        name: se
      spec:
        hosts: [a.example.com]
        exportTo: ["*", ns]
        ports:
        - {number: 443, name: tls, protocol: TLS}
        resolution: DNS
      """,
      [
        Finding(
          7, 14, "\"*\"", "error[IST0106]",
          "cannot have both public (*) and non-public exportTo values for a resource")
      ]),
    BrokenCase(
      "port level without selector",
      """
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata:
        name: pa
      spec:
        mtls: {mode: STRICT}
        portLevelMtls:
          8080: {mode: DISABLE}
      """,
      [
        Finding(
          7, 3, "portLevelMtls", "error[IST0106]",
          "mesh/namespace peer authentication cannot have port level mTLS")
      ]),
    BrokenCase(
      "probe of nothing",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          periodSeconds: 2
      """,
      [
        Finding(
          9, 5, "p", "error[IST0106]",
          "probe must have one of httpGet, tcpSocket, grpc")
      ]),
    BrokenCase(
      "probe gate",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        gates: [readyness]
        probe:
          httpGet: {path: /}
      """,
      [
        Finding(
          8, 11, "readyness", "error[IST0106]",
          "gates: unknown value \"readyness\"", help: "did you mean \"readiness\"?")
      ]),
    BrokenCase(
      "probe period",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          httpGet: {path: /}
          periodSeconds: 0
      """,
      [
        Finding(
          10, 20, "0", "error[IST0106]",
          "periodSeconds must be at least 1")
      ]),
    BrokenCase(
      "probe of TCP port 0",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          tcpSocket: {port: 0}
      """,
      [Finding(9, 23, "0", "error[IST0106]", "port number 0 must be in the range 1..65535")]),
    BrokenCase(
      "probe of an HTTP port too high",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          httpGet: {port: 65536}
      """,
      [Finding(9, 21, "65536", "error[IST0106]", "port number 65536 must be in the range 1..65535")]),
    BrokenCase(
      "probe of a negative gRPC port",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          grpc: {port: -1}
      """,
      [Finding(9, 18, "-1", "error[IST0106]", "port number -1 must be in the range 1..65535")]),
    BrokenCase(
      "probe with a negative delay",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          tcpSocket: {}
          initialDelaySeconds: -1
      """,
      [Finding(10, 26, "-1", "error[IST0106]", "initialDelaySeconds must be at least 0")]),
    BrokenCase(
      "probe with a threshold of more than 32 bits",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          tcpSocket: {}
          failureThreshold: 2147483648
      """,
      [Finding(10, 23, "2147483648", "error[IST0106]", "failureThreshold must be at most 2147483647")]),
    BrokenCase(
      "probe with a grace period",
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: UpstreamProbe
      metadata:
        name: up
      spec:
        host: a.example.com
        port: 443
        probe:
          tcpSocket: {}
          terminationGracePeriodSeconds: 30
      """,
      [Finding(10, 36, "30", "error[IST0106]", "terminationGracePeriodSeconds must not be set for readiness probes")]),
    BrokenCase(
      "operator component",
      """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata:
        name: io
      spec:
        components:
          egressGatways:
          - name: a
            enabled: true
      """,
      [
        Finding(
          7, 5, "egressGatways", "error[IST0106]",
          "unknown field \"egressGatways\"", help: "did you mean \"egressGateways\"?")
      ]),
    BrokenCase(
      "mesh setting",
      """
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata:
        name: io
      spec:
        meshConfig:
          accesLogFile: /dev/stdout
      """,
      [
        Finding(
          7, 5, "accesLogFile", "warning[IST0133]",
          "unknown field \"accesLogFile\"", help: "did you mean \"accessLogFile\"?")
      ]),
  ]

  @Test(arguments: all)
  func isSaidWithItsPlace(_ broken: BrokenCase) {
    broken.check()
  }
}
