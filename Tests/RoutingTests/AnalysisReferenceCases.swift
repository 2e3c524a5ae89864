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
  .init(
    "rules for connections that are never used",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g}
    spec:
      selector: {app: x}
      servers:
      - {port: {number: 443, name: tls, protocol: TLS}, hosts: ["*.test"], tls: {mode: PASSTHROUGH}}
      - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: up}
    spec: {hosts: [up.test], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: 192.0.2.1}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v}
    spec:
      hosts: ["*.test"]
      gateways: [g]
      tls:
      - match: [{sniHosts: ["*.test"]}]
        route: [{destination: {host: up.test}}]
      - match: [{sniHosts: [a.test, b.test]}]
        route: [{destination: {host: up.test}}]
      - match:
        - {sniHosts: [B.test], port: 443}                                    #! IST0131@{sniHosts
        - {sniHosts: [c.test]}
        route: [{destination: {host: up.test}}]
      - match:
        - {sniHosts: [a.test]}                                               #! IST0130@{sniHosts
        route: [{destination: {host: up.test}}]
      - match:
        - {sniHosts: [d.test], port: 8443}                                   #! SP1028@8443
        - {sniHosts: [d.test]}
        - {sniHosts: [d.test]}                                               #! IST0131@{sniHosts
        route: [{destination: {host: up.test}}]
      tcp:
      - match: [{port: 9000, destinationSubnets: [10.0.0.0/8]}]
        route: [{destination: {host: up.test}}]
      - route: [{destination: {host: up.test}}]
      - match:
        - {sourceSubnet: 10.0.0.0/8}                                         #! IST0130@{sourceSubnet
        route: [{destination: {host: up.test}}]
    """),
]
