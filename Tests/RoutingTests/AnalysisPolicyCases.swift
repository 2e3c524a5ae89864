private let instance = """

  ---
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: edge, namespace: istio-system}
  spec:
    selector: {matchLabels: {istio: edge}}
    template: {metadata: {labels: {istio: edge}}}
  ---
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: g, namespace: istio-system}
  spec:
    selector: {istio: edge}
    servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts: [a.example.com]                                    #! SP1034@a.example.com
  """

let policyCases: [AnalysisTests.Case] = [
  .init(
    "a policy for nobody",
    """
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: p, namespace: istio-system}
    spec:
      selector: {matchLabels: {istio: egde}}                    #! IST0127@egde
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: fits, namespace: istio-system}             #! SP1016@fits
    spec:
      selector: {matchLabels: {istio: edge}}
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: elsewhere, namespace: apps}
    spec:
      selector: {matchLabels: {app: web}}                       #! SP1015@web
    """ + instance),
  .init(
    "a policy that is attached",
    """
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: p, namespace: istio-system}
    spec:
      targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: x}]  #! IST0167@targetRefs
    """ + instance),
  .init(
    "a policy that is attached and selects",
    """
    apiVersion: security.istio.io/v1
    kind: RequestAuthentication
    metadata: {name: p, namespace: istio-system}
    spec:
      selector: {matchLabels: {istio: edge}}
      targetRefs: [{kind: Service, name: x}]                    #! IST0106@targetRefs
    """ + instance),
  .init(
    "a generated gateway by its labels",
    """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: edge, namespace: istio-system}
    spec:
      template: {metadata: {labels: {app: x, gateway.networking.k8s.io/gateway-name: gw}}}
    ---
    apiVersion: security.istio.io/v1
    kind: RequestAuthentication
    metadata: {name: p, namespace: istio-system}                #! SP1016@p
    spec:
      selector: {matchLabels: {app: x}}                         #! IST0166@x
    ---
    apiVersion: networking.istio.io/v1
    kind: Gateway
    metadata: {name: g, namespace: istio-system}
    spec:
      selector: {app: x}
      servers:
      - port: {number: 80, name: http, protocol: HTTP}
        hosts: [a.example.com]                                  #! SP1034@a.example.com
    """),
  .init(
    "Telemetries",
    """
    apiVersion: telemetry.istio.io/v1
    kind: Telemetry
    metadata: {name: one, namespace: istio-system}              #! IST0160@one + SP1001@one
    spec:
      accessLogging:
      - providers: []                                           #! IST0157@providers
      - providers: [{name: envoy}]
      - disabled: true
    ---
    apiVersion: telemetry.istio.io/v1
    kind: Telemetry
    metadata: {name: two, namespace: istio-system}              #! IST0160@two + SP1001@two
    spec: {}
    ---
    apiVersion: telemetry.istio.io/v1
    kind: Telemetry
    metadata: {name: three, namespace: istio-system}            #! SP1001@three
    spec:
      selector: {matchLabels: {istio: edge}}                    #! IST0159@selector
    ---
    apiVersion: telemetry.istio.io/v1
    kind: Telemetry
    metadata: {name: four, namespace: istio-system}             #! SP1001@four
    spec:
      selector: {matchLabels: {istio: edge}}                    #! IST0159@selector
    ---
    apiVersion: telemetry.istio.io/v1
    kind: Telemetry
    metadata: {name: alone, namespace: other}                   #! SP1015@alone
    spec: {}
    """ + instance),
  .init(
    "policies that are for instances are said once, each with what it comes to",
    """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: second, namespace: istio-system}
    spec:
      selector: {matchLabels: {istio: second}}
      template: {metadata: {labels: {istio: second}}}
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: deny, namespace: istio-system}
    spec:
      action: DENY                                              #! SP1016@DENY
      rules: [{to: [{operation: {ports: ["80"]}}]}]
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: nothing, namespace: istio-system}          #! SP1016@nothing
    spec: {}
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: ask, namespace: istio-system}
    spec:
      action: CUSTOM                                            #! SP1016@CUSTOM
      provider: {name: opa}
      rules: [{}]
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata:
      name: dry                                                 #! SP1001@dry
      namespace: istio-system
      annotations: {istio.io/dry-run: "true"}
    ---
    apiVersion: extensions.istio.io/v1alpha1
    kind: WasmPlugin
    metadata: {name: auth, namespace: istio-system}
    spec:
      url: oci://a/b
      phase: AUTHZ                                              #! SP1016@AUTHZ
    ---
    apiVersion: extensions.istio.io/v1alpha1
    kind: WasmPlugin
    metadata: {name: other, namespace: istio-system}            #! SP1001@other
    spec: {url: oci://a/b}
    ---
    apiVersion: networking.istio.io/v1alpha3
    kind: EnvoyFilter
    metadata: {name: filter, namespace: istio-system}           #! SP1001@filter
    spec:
      workloadSelector: {labels: {istio: edge}}
    ---
    apiVersion: networking.istio.io/v1alpha3
    kind: EnvoyFilter
    metadata: {name: elsewhere, namespace: istio-system}
    spec:
      workloadSelector: {labels: {app: web}}                    #! SP1015@web
    ---
    apiVersion: security.istio.io/v1
    kind: PeerAuthentication
    metadata: {name: strict, namespace: istio-system}
    spec:
      selector: {matchLabels: {istio: edge}}
      mtls: {mode: STRICT}                                      #! SP1014@STRICT
    ---
    apiVersion: security.istio.io/v1
    kind: PeerAuthentication
    metadata: {name: of-others, namespace: istio-system}
    spec:
      selector: {matchLabels: {app: web}}
      mtls: {mode: STRICT}
    """ + instance),
  .init(
    "namespaces that are not there, where the documents say which are",
    """
    apiVersion: v1
    kind: Namespace
    metadata: {name: apps}
    ---
    apiVersion: security.istio.io/v1
    kind: AuthorizationPolicy
    metadata: {name: p, namespace: istio-system}
    spec:
      action: DENY                                              #! SP1016@DENY
      rules: [{from: [{source: {namespaces: [apps, istio-system, a-*, appz]}}]}]   #! IST0101@appz
    """ + instance),
  .init(
    "what a cluster says",
    """
    apiVersion: v1
    kind: Service
    metadata: {name: a, namespace: n}
    spec: {ports: [{port: 80, name: http}]}
    status:
      loadBalancer: {}
      conditions:
      - {type: Good, status: "True"}
      - {type: Accepted, status: "False", reason: Why, message: because}       #! IST0171@"False"
    """),
  .init(
    "annotations with values that they cannot have, that are given up or tried out",
    """
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: d
      annotations:
        sidecar.istio.io/interceptionMode: SOMETIMES             #! IST0125@sidecar.istio.io/interceptionMode
        sidecar.istio.io/inject: "maybe"                         #! IST0125@sidecar.istio.io/inject
        traffic.sidecar.istio.io/excludeInboundPorts: "80, x"    #! IST0125@traffic.sidecar.istio.io/excludeInboundPorts
        traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8,192.0.2.1
        sidecar.istio.io/statsInclusionPrefixes: a               #! IST0135@sidecar.istio.io/statsInclusionPrefixes
        sidecar.istio.io/proxyCPU: 100m                          #! IST0136@sidecar.istio.io/proxyCPU
        proxy.istio.io/config: "concurrency: 2"
    spec: {}
    """),
]
