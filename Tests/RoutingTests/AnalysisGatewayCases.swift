private let answer = "http: [{directResponse: {status: 200}}]"

let gatewayCases: [AnalysisTests.Case] = [
  .init(
    "a server without routes",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts:
        - a.example.com
        - b.example.com                          #! SP1034@b.example.com
        - "*.c.example.com"
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: default}
    spec: {hosts: [a.example.com, x.c.example.com], gateways: [g], \(answer)}
    """),
  .init(
    "a redirect to where nobody is",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts: [a.example.com]                   #! SP1035@a.example.com
        tls: {httpsRedirect: true}
    """),
  .init(
    "one certificate in two Gateways",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: a, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 443, name: https, protocol: HTTPS}
        hosts: [a.example.com]
        tls: {mode: SIMPLE, credentialName: pair}
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: b, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 443, name: https, protocol: HTTPS}
        hosts: [b.example.com]
        tls: {mode: SIMPLE, credentialName: pair}              #! IST0138@pair
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: default}
    spec: {hosts: [a.example.com, b.example.com], gateways: [a, b], \(answer)}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: pair, namespace: default}
    stringData: {tls.crt: chain, tls.key: key}
    """),
  .init(
    "a secret in the wrong namespace",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: a, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 443, name: https, protocol: HTTPS}
        hosts: [a.example.com]                                 #! SP1034@a.example.com
        tls: {mode: SIMPLE, credentialName: pair}              #! IST0101@pair
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: pair, namespace: elsewhere}
    stringData: {tls.crt: chain, tls.key: key}
    """),
  .init(
    "a port that the Service lacks",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: default}
    spec:
      selector: {app: edge}
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts: [a.example.com]
      - port:
          number: 8081                           #! IST0162@8081
          name: other
          protocol: HTTP
        hosts: [a.example.com]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: default}
    spec: {hosts: [a.example.com], gateways: [g], \(answer)}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: edge, namespace: default}
    spec: {selector: {app: edge}, ports: [{port: 80, name: http}]}
    """),
  .init("a request that comes back", loop(egress: "")),
  .init(
    "a request that would come back if the rules did not name their gateways", loop(egress: "[{gateways: [egress]}]")),
]

/// An ingress and an egress instance; the article's pattern, and what becomes of it without `match.gateways`.
private func loop(egress: String) -> String {
  let isGood = !egress.isEmpty
  return """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: ingress, namespace: default}
    spec:
      selector: {app: ingress}
      servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: egress, namespace: default}
    spec:
      selector: {app: egress}
      servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: default}
    spec:
      hosts: [a.example.com]
      gateways: [ingress, egress]
      http:
      - match: \(isGood ? "[{gateways: [ingress]}]" : "[]")
        route:
        - destination: {host: egress, port: {number: 80}}     \(isGood ? "" : "#! SP1036@egress")
      - match: \(isGood ? egress : "[{gateways: [egress]}]    #! IST0130@{gateways")
        route:
        - destination: {host: up.example.com}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: egress, namespace: default}
    spec: {selector: {app: egress}, clusterIP: 127.0.0.1, ports: [{port: 80, name: http}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: ServiceEntry
    metadata: {name: up, namespace: default}
    spec: {hosts: [up.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
    """
}

let serviceCases: [AnalysisTests.Case] = [
  .init(
    "names of ports",
    """
    apiVersion: v1
    kind: Service                                #! 1:1 IST0118
    metadata: {name: a}
    spec: {ports: [{port: 80, name: web}, {port: 81, name: http-web}, {port: 82, name: x, appProtocol: http}]}
    ---
    apiVersion: v1
    kind: Service                                #! 6:1 IST0150
    metadata: {name: b}
    spec: {externalName: up.example.com, type: ExternalName, ports: [{port: 80, name: web}]}
    """),
  .init(
    "a resource twice",
    """
    apiVersion: v1
    kind: Service
    metadata: {name: a}
    spec: {ports: [{port: 80, name: http}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: a, namespace: other}
    spec: {ports: [{port: 80, name: http}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: a}                          #! SP1003@a}
    spec: {ports: [{port: 81, name: http}]}
    """),
  .init(
    "annotations",
    """
    apiVersion: v1
    kind: Service
    metadata:
      name: a
      annotations:
        networking.istio.io/exportTo: "*"     #! IST0136@networking.istio.io/exportTo
        sidecar.istio.io/inject: "true"          #! IST0107@sidecar
        networking.istio.io/exportTwo: "*"       #! IST0108@networking
        example.com/whatever: x
    spec: {ports: [{port: 81, name: http-web}]}
    """),
]
