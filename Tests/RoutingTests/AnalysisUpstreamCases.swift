/// An instance's Gateway on port 80 for `a.example.com`, and a VirtualService that leads to a host.
private func route(to destination: String, mark: String = "") -> String {
  """
  apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata: {name: g, namespace: default}
  spec:
    selector: {app: edge}
    servers:
    - {hosts: [a.example.com], port: {number: 80, name: http, protocol: HTTP}}
  ---
  apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata: {name: v, namespace: default}
  spec:
    hosts: [a.example.com]
    gateways: [g]
    http:
    - route:
      - destination: \(destination) \(mark)
  ---

  """
}

private func entry(_ name: String, _ spec: String) -> String {
  """
  apiVersion: networking.istio.io/v1
  kind: ServiceEntry
  metadata: {name: \(name), namespace: default}
  spec:
  \(spec)
  ---

  """
}

private func rule(_ spec: String) -> String {
  """
  apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: {name: r, namespace: default}
  spec:
  \(spec)

  """
}

/// A rule whose subsets say in different ways which name is asked for.
private let namedSubsets =
  entry(
    "e",
    """
      hosts: [up.example.com]
      ports: [{number: 443, name: https, protocol: HTTPS}, {number: 444, name: other, protocol: HTTPS}]
      resolution: DNS
    """)
  + rule(
    """
      host: up.example.com
      trafficPolicy:
        tls: {mode: SIMPLE}
      subsets:
      - name: said
        trafficPolicy: {tls: {mode: SIMPLE, sni: my.sni, subjectAltNames: [up.example.com]}}
      - name: sni
        trafficPolicy: {tls: {mode: SIMPLE, sni: up.example.com}}
      - name: sans
        trafficPolicy: {tls: {mode: SIMPLE, subjectAltNames: [other.example.com]}}
      - {name: plain}
      - name: port
        trafficPolicy:
          portLevelSettings:
          - {port: {number: 444}, tls: {mode: SIMPLE, sni: my.sni}}
      - name: off
        trafficPolicy: {tls: {mode: DISABLE}}
    """)

private func namedCase(
  _ subset: String, port: Int = 443, isSaid: Bool, mark: String = ""
) -> AnalysisTests.Case {
  .init(
    "the name that is verified of subset \(subset) at \(port)",
    route(
      to: "{host: up.example.com, subset: \(subset), port: {number: \(port)}}",
      mark: isSaid ? "#! SP1013@up.example.com" : mark) + namedSubsets)
}

let upstreamNameCases: [AnalysisTests.Case] = [
  namedCase("said", isSaid: false), namedCase("sni", isSaid: false), namedCase("sans", isSaid: false),
  namedCase("plain", isSaid: true), namedCase("port", isSaid: true), namedCase("port", port: 444, isSaid: false),
  namedCase("off", isSaid: false, mark: "#! SP1033@443"),
]

/// UpstreamProbes, and whether any rule leads to what they are for.
let probeCases: [AnalysisTests.Case] = [
  .init(
    "probes that somebody and that nobody runs",
    route(to: "{host: up.example.com}")
      + ["up.example.com", "idle.example.com"].map { host in
        entry(
          String(host.prefix(2)),
          "  {hosts: [\(host)], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}")
      }.joined()
      + ["up.example.com", "idle.example.com   #! SP1064@idle.example.com", "web   #! SP1064@web"].enumerated().map {
        """
        apiVersion: sallyport.dev/v1alpha1
        kind: UpstreamProbe
        metadata: {name: p\($0.offset), namespace: default}
        spec:
          host: \($0.element)
          port: 80
          probe: {tcpSocket: {}}
        ---

        """
      }.joined()),
  .init(
    "a probe of a host that is nowhere",
    route(to: "{host: up.example.com}")
      + entry("e", "  {hosts: [up.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}")
        + """
        apiVersion: sallyport.dev/v1alpha1
        kind: UpstreamProbe
        metadata: {name: p, namespace: default}
        spec:
          host: gone.example.com   #! IST0101@gone.example.com
          port: 80
          probe: {tcpSocket: {}}
        """),
]

let upstreamCases: [AnalysisTests.Case] = [
  .init(
    "a rule for a host that nobody declares",
    entry(
      "e",
      """
        hosts: [up.example.com]
        ports: [{number: 80, name: http, protocol: HTTP}]
        resolution: DNS
      """)
      + rule(
        """
          host: upp.example.com                      #! IST0174@upp.example.com
          trafficPolicy: {loadBalancer: {simple: RANDOM}}
        """)),
  .init(
    "a rule for a host of the mesh that only the name service knows",
    rule(
      """
        host: web.other.svc.cluster.local
        trafficPolicy: {loadBalancer: {simple: RANDOM}}
      """)),
  .init(
    "a subset that no endpoint has",
    entry(
      "e",
      """
        hosts: [up.example.com]
        ports: [{number: 80, name: http, protocol: HTTP}]
        resolution: STATIC
        endpoints: [{address: 127.0.0.1, labels: {v: one}}]
      """)
      + rule(
        """
          host: up.example.com
          subsets:
          - {name: one, labels: {v: one}}
          - {name: two, labels: {v: two}}            #! IST0173@two}}
          - name: all
        """)),
  .init(
    "labels where the host itself is the endpoint",
    entry(
      "e",
      """
        hosts: [up.example.com]
        ports: [{number: 80, name: http, protocol: HTTP}]
        resolution: DNS
      """)
      + rule(
        """
          host: up.example.com
          subsets: [{name: one, labels: {v: one}}]   #! IST0173@one}}
        """)),
  .init(
    "subsets of workloads",
    entry(
      "e",
      """
        hosts: [up.example.com]
        ports: [{number: 80, name: http, protocol: HTTP}]
        resolution: STATIC
        workloadSelector: {labels: {app: up}}
      """) + """
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: w, namespace: default}
        spec: {address: 127.0.0.1, labels: {app: up, v: one}}
        ---

        """
      + rule(
        """
          host: up.example.com
          subsets: [{name: one, labels: {v: one}}]
        """)),
  .init(
    "nobody verifies the server",
    entry(
      "e",
      """
        hosts: [up.example.com]
        ports: [{number: 443, name: https, protocol: HTTPS}]
        resolution: DNS
      """)
      + rule(
        """
          host: up.example.com
          trafficPolicy:
            tls: {mode: SIMPLE, insecureSkipVerify: true}          #! IST0128@true
            portLevelSettings:
            - port: {number: 443}
              tls: {mode: SIMPLE, insecureSkipVerify: true}        #! IST0129@true
            - port: {number: 444}                                  #! SP1059@444
              tls: {mode: SIMPLE}
        """)),
  .init(
    "TLS to port 80",
    route(to: "{host: up.example.com, port: {number: 80}}")
      + entry(
        "e",
        """
          hosts: [up.example.com]
          ports: [{number: 80, name: http, protocol: HTTP}]
          resolution: DNS
        """)
      + rule(
        """
          host: up.example.com
          trafficPolicy:
            tls:
              mode: SIMPLE                           #! SP1032@SIMPLE
              sni: up.example.com
        """)),
  .init(
    "TLS to port 80 with a target port is Istio's own recipe",
    route(to: "{host: up.example.com}")
      + entry(
        "e",
        """
          hosts: [up.example.com]
          ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]
          resolution: DNS
        """)
      + rule(
        """
          host: up.example.com
          trafficPolicy: {tls: {mode: SIMPLE, sni: up.example.com}}
        """)),
  .init(
    "plaintext to a TLS port",
    route(to: "{host: up.example.com, port: {number: 443}}", mark: "#! SP1033@443")
      + entry(
        "e",
        """
          hosts: [up.example.com]
          ports: [{number: 443, name: https, protocol: HTTPS}]
          resolution: DNS
        """)),
  .init(
    "one host and port with two protocols",
    entry(
      "a",
      """
        hosts: [up.example.com]
        ports: [{number: 80, name: http, protocol: HTTP}]
        resolution: DNS
      """)
      + entry(
        "b",
        """
          hosts: [UP.example.com]
          ports: [{number: 80, name: http, protocol: tcp}]         #! IST0177@tcp
          resolution: DNS
        """)),
  .init(
    "names that share a TCP port",
    entry(
      "db1",
      """
        hosts: [one.rds.example.com]
        ports: [{name: mysql, number: 3306, protocol: TCP}]
        resolution: DNS
      """)
      + entry(
        "db2",
        """
          hosts: [two.rds.example.com]
          ports: [{name: mysql, number: 3306, protocol: TCP}]      #! SP1031@3306
          resolution: DNS
        """)
      + entry(
        "db3",
        """
          hosts: [three.rds.example.com]
          addresses: [10.0.0.1]
          ports: [{name: mysql, number: 3306, protocol: TCP}]
          resolution: DNS
        """)
      + entry(
        "db4",
        """
          hosts: [four.rds.example.com]
          ports: [{name: mysql, number: 3306, protocol: TLS}]
          resolution: DNS
        """)),
]
