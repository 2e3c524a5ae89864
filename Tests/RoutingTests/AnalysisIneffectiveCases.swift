/// A declared instance with a Gateway on port 80, and an upstream.
private let edge =
  """
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: edge, namespace: default}
  spec: {template: {metadata: {labels: {app: edge}}}}

  """
  + document(
    "Gateway", "g",
    """
      selector: {app: edge}
      servers: [{hosts: [a.test], port: {number: 80, name: http, protocol: HTTP}}]
    """)
  + document(
    "ServiceEntry", "up",
    "  {hosts: [up.test], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}")

private func document(_ kind: String, _ name: String, _ spec: String, in namespace: String = "default") -> String {
  """
  ---
  apiVersion: \(kind == "Service" ? "v1" : "networking.istio.io/v1")
  kind: \(kind)
  metadata: {name: \(name), namespace: \(namespace)}
  spec:
  \(spec)

  """
}

/// A Gateway for names that no VirtualService serves.
private let wide = document(
  "Gateway", "wide",
  """
    selector: {app: edge}
    servers:
    - hosts: ["*.b.test"]   #! SP1034@"*.b.test"
      port: {number: 81, name: http, protocol: HTTP}
  """)

/// A VirtualService of the Gateway with these rules.
private func rules(_ rules: String) -> String {
  document("VirtualService", "v", "  hosts: [a.test]\n  gateways: [g]\n  http:\n" + rules)
}

private let up = "route: [{destination: {host: up.test}}]"

let scopeCases: [AnalysisTests.Case] = [
  .init(
    "no gateways where a Gateway has the host",
    edge + wide + rules("  - \(up)")
      + document("VirtualService", "w", "  hosts: [x.b.test]   #! SP1038@x.b.test\n  http: [{\(up)}]")),
  .init(
    "no gateways, and sidecars are meant",
    edge + wide + rules("  - \(up)") + document("VirtualService", "hosts", "  {hosts: [up.test, web], http: [{\(up)}]}")
      + document("VirtualService", "both", "  {hosts: [a.test], http: [{\(up)}]}")
      + document("VirtualService", "other", "  {hosts: [other.test], http: [{\(up)}]}")
      + document("VirtualService", "said", "  {hosts: [y.b.test], gateways: [mesh], http: [{\(up)}]}")),
  .init(
    "rules for connections where requests are read",
    edge
      + document(
        "VirtualService", "v",
        """
          hosts: [a.test]
          gateways: [g]
          tls:
          - match: [{sniHosts: [a.test]}]            #! SP1039@match
            \(up)
        """)),
  .init(
    "rules for connections beside a server that has them",
    edge
      + document(
        "Gateway", "t",
        """
          selector: {app: edge}
          servers:
          - {hosts: [a.test], port: {number: 443, name: tls, protocol: TLS}, tls: {mode: PASSTHROUGH}}
        """)
      + document(
        "VirtualService", "v",
        "  {hosts: [a.test], gateways: [g, t], tls: [{match: [{sniHosts: [a.test]}], \(up)}]}")),
  .init(
    "conditions on the gateway that hold nowhere",
    edge
      + rules(
        """
          - match:
            - port: 9999                             #! SP1028@9999
            - sourceNamespace: other                 #! SP1028@other
            - sourceLabels: {app: foo}               #! SP1028@foo
            - scheme: {exact: https}                 #! SP1028@https
            - scheme: {exact: HTTP}                  #! SP1028@HTTP
            - method: {exact: get}                   #! SP1028@get
            \(up)
          - match:
            - port: 80
            - sourceNamespace: default
              uri: {prefix: /a}
            - sourceLabels: {app: edge}
              uri: {prefix: /b}                   
            - scheme: {exact: http}
              method: {exact: GET}                
            - method: {exact: custom}
            \(up)
        """)),
  .init(
    "labels of an instance that only selectors speak of are not known",
    String(edge[edge.firstRange(of: "---")!.lowerBound...])
      + rules(
        """
          - match: [{sourceLabels: {version: v1}}]
            \(up)
          - match: [{sourceNamespace: other}]
            \(up)
        """)),
  .init(
    "a rule of several Gateways and the mesh",
    edge
      + document(
        "VirtualService", "v",
        """
          hosts: [a.test]
          gateways: [g, mesh]
          http:
          - match: [{port: 9999}, {sourceLabels: {app: foo}}]
            \(up)
          - match: [{port: 9998, gateways: [g]}]     #! SP1028@9998
            \(up)
        """)),
]

let conditionCases: [AnalysisTests.Case] = [
  .init(
    "parts of a request among the headers",
    edge
      + rules(
        """
          - match:
            - headers: {uri: {exact: /x}}            #! SP1030@uri
            - headers: {Method: {exact: GET}}        #! SP1030@Method
            - withoutHeaders: {authority: {}}        #! SP1030@authority
            - headers: {scheme: {prefix: h}}         #! SP1030@scheme
            \(up)
          - \(up)
        """)),
  .init(
    "asterisks",
    edge
      + rules(
        """
          - match:
            - uri: {prefix: "/api/*"}                #! SP1029@"/api/*"
            - uri: {exact: "/web/*"}                 #! SP1029@"/web/*"
            - uri: {exact: "/*/x"}                   #! SP1029@"/*/x"
            - uri: {exact: "*"}
            \(up)
        """)),
  .init(
    "regular expressions that are prefixes",
    edge
      + rules(
        """
          - match: [{uri: {regex: "/api/.*"}}]
            \(up)
          - match:
            - uri: {prefix: /api/x}                  #! IST0130@uri
            \(up)
          - match:
            - uri: {regex: "^/api/v[0-9]+$"}         #! IST0130@uri
            \(up)
          - match: [{uri: {regex: "/ap.*"}, headers: {x: {regex: ".*"}}}]
            \(up)
          - match: [{uri: {prefix: /apx}}]
            \(up)
          - match: [{uri: {regex: '/w\\.x'}}]
            \(up)
          - match:
            - uri: {exact: /w.x}                     #! IST0130@uri
            \(up)
          - match: [{uri: {regex: "/y(a|b).*"}}, {uri: {regex: "/z|.*"}}, {uri: {regex: "/q?.*"}}]
            \(up)
          - match: [{uri: {prefix: /ya}}, {uri: {exact: /z}}, {uri: {prefix: /qq}}]
            \(up)
        """)),
  .init(
    "a method that is any method",
    edge
      + rules(
        """
          - match: [{method: {regex: '.*'}}]
            \(up)
          - match:
            - uri: {prefix: /x}                      #! IST0130@uri
            \(up)
        """)),
  .init(
    "a path that is any path",
    edge
      + rules(
        """
          - match: [{uri: {regex: '/.*'}}]
            \(up)
          - \(up)                                    #! IST0130@route
        """)),
  .init(
    "redirects to themselves",
    edge
      + rules(
        """
          - match: [{uri: {prefix: /old}}]
            redirect: {uri: /old/new}                #! SP1037@/old/new
          - match: [{uri: {prefix: /a/}}]
            redirect: {prefixRewrite: /a/b/}         #! SP1037@/a/b/
          - match: [{uri: {exact: /self}}]
            redirect: {authority: a.test}            #! SP1037@a.test
          - match: [{uri: {prefix: /}}]
            redirect: {uri: /}                       #! SP1037@/}
        """)),
  .init(
    "redirects that lead away",
    edge
      + rules(
        """
          - match: [{uri: {exact: /}}]
            \(up)
          - match: [{uri: {prefix: /old}}]
            redirect: {uri: /new}
          - match: [{uri: {prefix: /a/}}]
            redirect: {prefixRewrite: /b/}
          - match: [{uri: {prefix: /c}}]
            redirect: {uri: /c, authority: c.test}
          - match: [{uri: {prefix: /d}}]
            redirect: {uri: /d, scheme: https}
          - match: [{uri: {prefix: /e}}]
            redirect: {uri: /e, port: 8443}
          - redirect: {uri: /}
        """)),
  .init(
    "a redirect to HTTPS that HTTPS has, too",
    edge
      + document(
        "Gateway", "s",
        """
          selector: {app: edge}
          servers:
          - hosts: [a.test]
            port: {number: 443, name: https, protocol: HTTPS}
            tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}   #! IST0161@/c
        """)
      + document(
        "VirtualService", "v",
        """
          hosts: [a.test]
          gateways: [g, s]
          http:
          - match: [{uri: {prefix: /x}, port: 80}]
            redirect: {scheme: https}
          - match: [{uri: {prefix: /y}, gateways: [g]}]
            redirect: {scheme: https}
          - redirect: {scheme: https}                #! SP1037@https
        """)),
]

let policyReachCases: [AnalysisTests.Case] = [
  .init(
    "entries without endpoints",
    edge
      + rules(
        """
          - match: [{uri: {prefix: /a}}]
            route: [{destination: {host: none.test}}]
          - match: [{uri: {prefix: /b}}]
            route: [{destination: {host: selected.test}}]
          - route: [{destination: {host: good.test}}]
        """)
      + document(
        "ServiceEntry", "none",
        """
          hosts: [none.test]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC                         #! SP1012@STATIC
        """)
      + document(
        "ServiceEntry", "selected",
        """
          hosts: [selected.test]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          workloadSelector: {labels: {app: nobody}}  #! SP1012@nobody
        """)
      + document(
        "ServiceEntry", "good",
        """
          hosts: [good.test]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: STATIC
          workloadSelector: {labels: {app: good}}
        """) + document("WorkloadEntry", "w", "  {address: 192.0.2.1, labels: {app: good}}")),
  .init(
    "two rules of one host",
    edge + rules("  - \(up)")
      + document(
        "DestinationRule", "d0",
        "  {host: up.test, trafficPolicy: {loadBalancer: {simple: RANDOM}}, subsets: [{name: s}, {name: t}]}")
      + document(
        "DestinationRule", "d1",
        """
          host: up.test
          trafficPolicy:
            loadBalancer: {simple: ROUND_ROBIN}      #! SP1057@loadBalancer
          subsets: [{name: s}, {name: u}]            #! SP1057@s}
        """)
      + document("DestinationRule", "d2", "  {host: \"*.test\", trafficPolicy: {loadBalancer: {simple: RANDOM}}}")
      + document(
        "DestinationRule", "d3", "  {host: up.test, exportTo: [other], trafficPolicy: {loadBalancer: {simple: RANDOM}}}"
      )),
  .init(
    "a rule that the gateway does not see",
    edge + rules("  - \(up)")
      + document(
        "DestinationRule", "far",
        """
          host: up.test                              #! SP1058@up.test
          trafficPolicy: {loadBalancer: {simple: RANDOM}}
        """, in: "elsewhere")
      + document(
        "DestinationRule", "root", "  {host: up.test, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
        in: "istio-system")
      + document(
        "DestinationRule", "mesh",
        "  {host: web.far.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}}",
        in: "elsewhere")),
  .init(
    "settings for a port that the host does not have",
    edge + rules("  - \(up)")
      + document(
        "DestinationRule", "d",
        """
          host: up.test
          trafficPolicy:
            portLevelSettings:
            - {port: {number: 80}, loadBalancer: {simple: RANDOM}}
            - {port: {number: 8080}, loadBalancer: {simple: RANDOM}}    #! SP1059@8080
          subsets:
          - name: s
            trafficPolicy:
              portLevelSettings: [{port: {number: 81}, loadBalancer: {simple: RANDOM}}]   #! SP1059@81
        """)),
  .init(
    "a destination without a port that the listener helps out",
    edge + rules("  - route: [{destination: {host: web}}]   #! IST0112@web")
      + document("Service", "web", "  {clusterIP: 192.0.2.1, ports: [{port: 80, name: http}, {port: 9000, name: tcp}]}")
  ),
  .init(
    "names with too few parts",
    edge
      + rules(
        """
          - match: [{uri: {prefix: /a}}]
            route: [{destination: {host: web.default}}]          #! IST0101@web.default
          - route: [{destination: {host: web.default.svc}}]      #! IST0101@web.default.svc
        """)
      + document("Service", "web", "  {clusterIP: 192.0.2.1, ports: [{port: 80, name: http}]}")),
  .init(
    "a delegate that is not exported",
    edge + rules("  - delegate: {name: del, namespace: d}   #! IST0101@del,")
      + document("VirtualService", "del", "  {exportTo: [\".\"], http: [{\(up)}]}", in: "d")),
  .init(
    "hosts of two Gateways that overlap",
    edge + rules("  - \(up)")
      + document(
        "Gateway", "h",
        """
          selector: {app: edge}
          servers:
          - {hosts: [c.test, a.test], port: {number: 80, name: h, protocol: HTTP}}    #! IST0145@a.test
          - {hosts: [a.test], port: {number: 81, name: i, protocol: HTTP}}
        """)
      + document(
        "Gateway", "i",
        """
          selector: {app: edge}
          servers:
          - {hosts: ["other/a.test", "*.c.test"], port: {number: 80, name: h, protocol: HTTP}}  #! IST0145@"other/a.test"
          - {hosts: ["*"], port: {number: 81, name: i, protocol: HTTP}}                          #! IST0145@"*"
        """)
      + document(
        "VirtualService", "all",
        "  {hosts: [\"*\"], gateways: [h, i], http: [{match: [{uri: {prefix: /all}}], \(up)}]}")
  ),
  .init(
    "TLS versions that exclude each other",
    edge
      + document(
        "Gateway", "s",
        """
          selector: {app: edge}
          servers:
          - hosts: [x.b.test]
            port: {number: 443, name: https, protocol: HTTPS}
            tls: {mode: PASSTHROUGH, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2}   #! SP1047@TLSV1_2
          - hosts: [y.b.test]
            port: {number: 443, name: https2, protocol: HTTPS}
            tls: {mode: PASSTHROUGH, maxProtocolVersion: TLSV1_1}                               #! SP1047@TLSV1_1
          - hosts: [z.b.test]
            port: {number: 443, name: https3, protocol: HTTPS}
            tls: {mode: PASSTHROUGH, minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_2}
        """)
      + document(
        "VirtualService", "v",
        "  {hosts: [\"*.test\"], gateways: [g, s], http: [{\(up)}], tls: [{match: [{sniHosts: [\"*.test\"]}], \(up)}]}")
  ),
  .init(
    "codes that do not exist",
    """
    apiVersion: networking.istio.io/v1
    kind: WorkloadEntry
    metadata:
      name: w
      annotations:
        galley.istio.io/analyze-suppress: "IST0101, IST0134,SP10*,*"
    spec: {address: 192.0.2.1}
    ---
    apiVersion: networking.istio.io/v1
    kind: WorkloadEntry
    metadata:
      name: x
      annotations:
        galley.istio.io/analyze-suppress: "IST0101,IST9999"      #! IST0125@galley.istio.io/analyze-suppress
    spec: {address: 192.0.2.1}
    """),
]
