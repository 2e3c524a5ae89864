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
    route(to: "{host: up.example.com, port: {number: 80}}", mark: "#! SP1013@up.example.com")
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
    route(to: "{host: up.example.com}", mark: "#! SP1013@up.example.com")
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
