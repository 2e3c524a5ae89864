/// What the loader and the compiler say by Istio's codes.
let referenceCases: [AnalysisTests.Case] = [
  .init(
    "a destination of several ports, a deprecated field, a host of nobody",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g}
    spec: {selector: {app: x}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.test]}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: up}
    spec:
      hosts: [up.test]
      resolution: DNS
      ports: [{number: 8080, name: http, protocol: HTTP}, {number: 8081, name: more, protocol: HTTP}]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: a}
    spec:
      hosts: [a.test]
      gateways: [g]
      http:
      - fault: {delay: {percent: 10, fixedDelay: 1s}}                        #! IST0002@percent
        route: [{destination: {host: up.test}}]                              #! IST0112@up.test
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: b}
    spec:
      hosts: [b.test]                                                        #! IST0132@b.test
      gateways: [g]
      http: [{directResponse: {status: 200}}]
    """),
  .init(
    "two Gateways with a name on one TLS port",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g}
    spec:
      selector: {app: x}
      servers:
      - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: PASSTHROUGH}}   #! SP1053@{port
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: h}
    spec:
      selector: {app: x}
      servers:
      - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: PASSTHROUGH}}   #! IST0145@a.test
    """),
]
