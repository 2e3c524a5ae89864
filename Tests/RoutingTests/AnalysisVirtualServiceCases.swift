/// An instance's Gateway on port 80 for `a.example.com`, and what may stand behind it.
private let edge = """
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: g, namespace: default}
  spec:
    selector: {app: edge}
    servers:
    - {hosts: [a.example.com], port: {number: 80, name: http, protocol: HTTP}}
  ---
  apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: up, namespace: default}
  spec:
    hosts: [up.example.com]
    ports: [{number: 80, name: http, protocol: HTTP}]
    resolution: DNS
  ---

  """

/// A VirtualService with these rules.
private func service(_ name: String, _ rules: String) -> String {
  """
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: \(name), namespace: default}
  spec:
    hosts: [a.example.com]
    gateways: [g]
    http:
  \(rules)

  """
}

private let up = "route: [{destination: {host: up.example.com}}]"

let virtualServiceCases: [AnalysisTests.Case] = [
  .init(
    "rules in a good order",
    edge
      + service(
        "v",
        """
          - match:
            - uri: {exact: /api}
            - uri: {prefix: /api/}
            \(up)
          - match: [{uri: {prefix: /apidocs}}]
            \(up)
          - match: [{uri: {prefix: /x}, method: {exact: GET}}, {uri: {prefix: /x}, method: {exact: POST}}]
            \(up)
          - match: [{uri: {prefix: /x}}]
            \(up)
          - \(up)
        """)),
  .init(
    "a rule after one that takes everything",
    edge
      + service(
        "v",
        """
          - \(up)
          - match:
            - uri: {prefix: /api}                    #! IST0130@uri
            \(up)
          - \(up)                                    #! IST0130@route
        """)),
  .init(
    "a rule twice",
    edge
      + service(
        "v",
        """
          - match: [{uri: {exact: /a}, headers: {x: {exact: "1"}}}]
            \(up)
          - match:
            - headers: {X: {exact: "1"}}             #! IST0130@headers
              uri: {exact: /a}
            \(up)
        """)),
  .init(
    "a match that another of the rule takes",
    edge
      + service(
        "v",
        """
          - match:
            - uri: {prefix: /a/}
            - uri: {exact: /a/b}                     #! IST0131@uri
            \(up)
        """)),
  .init(
    "one match of a rule after a wider rule",
    edge
      + service(
        "v",
        """
          - match: [{uri: {prefix: /A/}, ignoreUriCase: true}]
            \(up)
          - match:
            - uri: {prefix: /b/}
            - uri: {prefix: /a/c}                    #! IST0131@uri
            \(up)
        """)),
  .init(
    "a present header takes any value of it",
    edge
      + service(
        "v",
        """
          - match: [{headers: {x: {}}}]
            \(up)
          - match:
            - headers: {x: {prefix: v}}              #! IST0130@headers
            \(up)
          - match: [{headers: {y: {prefix: v}}}]
            \(up)
        """)),
  .init(
    "what takes every request does not take CONNECT",
    edge
      + service(
        "v",
        """
          - \(up)
          - match: [{method: {exact: CONNECT}}]
            \(up)
          - match:
            - method: {exact: CONNECT}               #! IST0130@method
              authority: {exact: "a.example.com:1"}
            \(up)
        """)),
  .init(
    "rules of different gateways do not meet",
    edge + """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v, namespace: default}
      spec:
        hosts: [a.example.com]
        gateways: [g, mesh]
        http:
        - match: [{gateways: [mesh]}]
          \(up)
        - match: [{gateways: [g]}]
          \(up)
        - match:
          - gateways: [g]                          #! IST0130@gateways
            uri: {prefix: /x}
          \(up)
      """),
  .init(
    "a prefix that lacks its slash",
    edge
      + service(
        "v",
        """
          - match:
            - uri:
                prefix: /api                         #! SP1022@/api
            \(up)
          - match:
            - uri: {prefix: /apidocs}                #! IST0130@uri
            \(up)
        """)),
  .init(
    "a regex twice, and one behind everything",
    edge
      + service(
        "v",
        """
          - match: [{uri: {regex: "/a[0-9]"}}]
            \(up)
          - match:
            - uri: {regex: "/a[0-9]"}                #! IST0130@uri
            \(up)
          - match: [{uri: {prefix: /}}]
            \(up)
          - match:
            - uri: {regex: "/b[0-9]"}                #! IST0130@uri
            \(up)
        """)),
  .init(
    "two services on one host",
    edge
      + service(
        "a",
        """
          - match: [{uri: {prefix: /a}}]
            \(up)
          - \(up)
        """) + "---\n"
      + service(
        "b",
        """
          - match:
            - uri: {prefix: /a/b}                    #! SP1021@uri
            \(up)
          - match: [{uri: {prefix: /b}}]
            \(up)
          - \(up)                                    #! SP1021@route
        """)),
  .init(
    "two services on one host of a Gateway that admits one of them, and a host with its short form",
    """
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: n}
    spec:
      servers:
      - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["./own.test", "other/theirs.test", "*/s.n.svc.cluster.local"]}
      - {port: {number: 81, name: more, protocol: HTTP}, hosts: ["n/both.test"]}
      - {port: {number: 82, name: most, protocol: HTTP}, hosts: ["other/both.test"]}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: a, namespace: n}
    spec:
      hosts: [own.test, theirs.test, both.test, s, s.n.svc.cluster.local]   #! IST0133@s.n.svc.cluster.local
      gateways: [g]
      http: [{directResponse: {status: 201}}]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: b, namespace: other}
    spec: {hosts: [own.test, theirs.test, both.test], gateways: [n/g], http: [{directResponse: {status: 202}}]}

    """),
  .init(
    "conditions that never hold, or do not count",
    edge
      + service(
        "v",
        """
          - match:
            - method: {exact: get}                   #! SP1028@get
              uri: {prefix: /a}
            - scheme: {exact: HTTPS}                 #! SP1028@HTTPS
              uri: {prefix: /b}
            - port: 9999                             #! SP1028@9999
              uri: {prefix: /c}
            - headers: {method: {exact: GET}}        #! SP1030@method
              uri: {prefix: /d}
            - uri: {prefix: "/api/*"}                #! SP1029@"/api/*"
            - uri: {exact: "/apj/*"}                 #! SP1029@"/apj/*"
            - uri: {prefix: /e}
              method: {exact: PURGE}
              port: 80
            \(up)
        """)),
  .init(
    "paths that never match",
    edge
      + service(
        "v",
        """
          - match:
            - uri: {prefix: api}                     #! SP1024@api
            - uri: {exact: "/a?b=c"}                 #! SP1024@"/a?b=c"
            - uri: {regex: "/a/*"}                   #! SP1027@"/a/*"
            - uri: {exact: "*"}
            - method: {exact: CONNECT}
              uri: {prefix: "/c"}                    #! SP1024@"/c"
            \(up)
        """)),
  .init(
    "rewrites and slashes",
    edge
      + service(
        "v",
        """
          - match: [{uri: {prefix: /api/}}]
            rewrite: {uri: /v1}                      #! SP1023@/v1
            \(up)
          - match: [{uri: {prefix: /web}}]
            rewrite: {uri: /}                        #! SP1023@/}
            \(up)
          - match: [{uri: {prefix: /c/}}]
            rewrite: {uri: /}
            \(up)
          - match: [{uri: {prefix: /d}}]
            rewrite: {uri: /e}
            \(up)
          - match: [{uri: {exact: /f/}}]
            rewrite: {uri: /f}
            \(up)
        """)),
  .init(
    "weights",
    edge
      + service(
        "v",
        """
          - match: [{uri: {prefix: /a}}]
            route:
            - {destination: {host: up.example.com}, weight: 90}
            - {destination: {host: up.example.com}, weight: 20}    #! SP1025@20
          - match: [{uri: {prefix: /b}}]
            route:
            - {destination: {host: up.example.com}, weight: 3}
            - {destination: {host: up.example.com}, weight: 1}
          - match: [{uri: {prefix: /c}}]
            route:
            - {destination: {host: up.example.com}, weight: 100}
            - destination: {host: up.example.com}                  #! SP1026@up.example.com
        """)),
  .init(
    "claims that nobody verifies",
    edge
      + service(
        "v",
        """
          - match:
            - headers:
                "@request.auth.claims.group": {exact: admin}       #! IST0149@"@request.auth.claims.group"
            \(up)
        """)),
]

let meshCases: [AnalysisTests.Case] = [
  .init(
    "two services of the mesh with one host",
    """
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: a, namespace: default}
    spec: {hosts: [web], http: [{directResponse: {status: 200}}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: b, namespace: default}
    spec:
      hosts: [web.default.svc.cluster.local]     #! IST0109@web.default.svc.cluster.local
      http: [{directResponse: {status: 200}}]
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: c, namespace: other}
    spec: {hosts: [web], http: [{directResponse: {status: 200}}]}
    """),
  .init(
    "two services of the mesh that nobody sees together",
    """
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: a, namespace: one}
    spec: {hosts: [x.example.com], exportTo: [.], http: [{directResponse: {status: 200}}]}
    ---
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: b, namespace: two}
    spec: {hosts: [x.example.com], exportTo: [.], http: [{directResponse: {status: 200}}]}
    """),
  .init(
    "subsets of the mesh mean nothing to a gateway",
    edge + """
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: mesh, namespace: default}
      spec: {hosts: [up.example.com], http: [{route: [{destination: {host: up.example.com, subset: v1}}]}]}
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: {name: v, namespace: default}
      spec:
        hosts: [a.example.com]
        gateways: [g]
        http:
        - route: [{destination: {host: up.example.com}}]    #! IST0140@up.example.com
      """),
  .init(
    "a gateway of the Gateway API's controller",
    """
    apiVersion: networking.istio.io/v1
    kind: VirtualService
    metadata: {name: v, namespace: default}
    spec:
      hosts: [a.example.com]
      gateways:
      - web-istio-autogenerated-k8s-gateway      #! IST0101@web + IST0165@web
      http: [{directResponse: {status: 200}}]
    """),
]
