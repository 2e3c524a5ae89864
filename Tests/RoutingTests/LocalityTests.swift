import Testing

@testable import Resources
@testable import Routing

/// Where endpoints and instance are, from labels and DestinationRule to priorities and shares.
@Suite struct LocalityTests {
  private static let here = ["topology.kubernetes.io/region": "us", "topology.kubernetes.io/zone": "us-1"]
  private static let places = ["us/us-1/a", "us/us-1", "us/us-2", "eu/eu-1", "asia/x", ""]

  private static func entry(_ endpoints: [String]) -> String {
    routing("- route: [{destination: {host: up.example}}]", endpoints: endpoints)
  }

  private static func endpoints(_ localities: [String]) -> [String] {
    localities.enumerated().map { "{address: 10.0.0.\($0), locality: \"\($1)\"}" }
  }

  private static func compile(
    _ yaml: String, policy: String?, labels: [String: String] = here, mesh: String? = nil
  ) -> SnapshotCompiler.Output {
    var text = yaml
    if let policy {
      text += """
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: up, namespace: n}
        spec: {host: up.example, trafficPolicy: {\(policy)}}

        """
    }
    if let mesh {
      text += """
        ---
        apiVersion: install.istio.io/v1alpha1
        kind: IstioOperator
        metadata: {name: mesh}
        spec: {meshConfig: {\(mesh)}}

        """
    }
    var result = LoadResult()
    ResourceLoader.load(text: Array(text.utf8), file: "test.yaml", into: &result)
    #expect(!result.diagnostics.contains { $0.severity == .error }, "\(result.diagnostics)")
    return SnapshotCompiler(
      result.resources, identity: InstanceIdentity(name: "gw", namespace: "n", labels: labels), readinessProbes: [],
      options: CompilerOptions(), readFile: { _ in nil }
    ).compile(generation: 1)
  }

  private static func priorities(
    _ policy: String?, labels: [String: String] = here, mesh: String? = nil, places: [String] = places
  ) -> [Int32] {
    let output = compile(entry(endpoints(places)), policy: policy, labels: labels, mesh: mesh)
    return output.snapshot.clusters.first?.settings.endpoints.map(\.priority) ?? []
  }

  @Test(
    arguments: [
      // Without outlier detection nobody would notice a failure.
      (nil, [0, 0, 0, 0, 0, 0]), ("loadBalancer: {localityLbSetting: {enabled: true}}", [0, 0, 0, 0, 0, 0]),
      // The mesh's default.
      ("outlierDetection: {}", [1, 0, 2, 3, 3, 3]),
      ("outlierDetection: {}, loadBalancer: {localityLbSetting: {enabled: false}}", [0, 0, 0, 0, 0, 0]),
      (
        "outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: us, to: asia}]}}",
        [1, 0, 2, 4, 3, 4]
      ),
      (
        "outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: eu, to: us}]}}", [1, 0, 2, 3, 3, 3]
      ),
      (
        "outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [topology.kubernetes.io/region]}}",
        [0, 0, 0, 1, 1, 1]
      ),
      (
        "outlierDetection: {}, loadBalancer: {zoneAwareLbSetting: {enabled: true, failover: [{from: us, to: eu}]}}",
        [0, 0, 0, 1, 2, 2]
      ),
      ("loadBalancer: {zoneAwareLbSetting: {enabled: true}}", [0, 0, 0, 0, 0, 0]),
    ] as [(String?, [Int32])])
  func `priorities`(policy: String?, expected: [Int32]) {
    #expect(Self.priorities(policy) == expected)
  }

  @Test func `ranks have no gaps`() {
    #expect(Self.priorities("outlierDetection: {}", places: ["asia/x", "us/us-2"]) == [1, 0])
  }

  @Test func `the mesh's settings are for hosts that have none`() {
    #expect(Self.priorities("outlierDetection: {}", mesh: "localityLbSetting: {enabled: false}") == [0, 0, 0, 0, 0, 0])
    let distribute = "localityLbSetting: {distribute: [{from: us/*, to: {eu/*: 100}}]}"
    #expect(Self.priorities(nil, mesh: distribute).count == 1)
    let own = "outlierDetection: {}, loadBalancer: {localityLbSetting: {enabled: true}}"
    #expect(Self.priorities(own, mesh: distribute) == [1, 0, 2, 3, 3, 3])
  }

  @Test(
    arguments: [
      (["istio-locality": "eu.eu-1"], [1, 1, 1, 0, 1, 1]), (["istio-locality": "us.us-1.a"], [0, 1, 2, 3, 3, 3]),
      (here.merging(["topology.istio.io/subzone": "a"]) { $1 }, [0, 1, 2, 3, 3, 3]), ([:], [0, 0, 0, 0, 0, 0]),
    ] as [([String: String], [Int32])])
  func `the instance's locality comes from its labels`(labels: [String: String], expected: [Int32]) {
    #expect(Self.priorities("outlierDetection: {}", labels: labels) == expected)
  }

  @Test func `failoverPriority compares labels in their order, and with values that are named`() {
    let yaml = Self.entry([
      "{address: 10.0.0.1, labels: {version: v1, net: a}}", "{address: 10.0.0.2, labels: {version: v1, net: b}}",
      "{address: 10.0.0.3, labels: {version: v2, net: a}}", "{address: 10.0.0.4}",
    ])
    func priorities(_ labels: String) -> [Int32] {
      let policy = "outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [\(labels)]}}"
      let output = Self.compile(yaml, policy: policy, labels: ["version": "v1", "net": "a"])
      return output.snapshot.clusters.first?.settings.endpoints.map(\.priority) ?? []
    }
    #expect(priorities("version, net") == [0, 1, 2, 2])
    #expect(priorities("net, version") == [0, 2, 1, 2])
    #expect(priorities("version=v2") == [1, 1, 0, 1])
  }

  @Test func `distribute gives localities their shares, and others nothing`() {
    let policy = """
      loadBalancer: {localityLbSetting: {distribute: [{from: eu/*, to: {asia/*: 100}},
      {from: us/us-1/*, to: {us/us-1/*: 70, us/us-2/*: 10, eu/*: 20}}]}}
      """
    let output = Self.compile(
      Self.entry([
        "{address: 10.0.0.1, locality: us/us-1/a, weight: 3}", "{address: 10.0.0.2, locality: us/us-1/b}",
        "{address: 10.0.0.3, locality: us/us-2}", "{address: 10.0.0.4, locality: eu/x}",
        "{address: 10.0.0.5, locality: asia/x}",
      ]), policy: policy)
    let endpoints = output.snapshot.clusters.first?.settings.endpoints ?? []
    #expect(endpoints.map(\.address) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"])
    // 70 over two localities of weights 3 and 1, rounded up.
    #expect(endpoints.map(\.localityWeight) == [53, 18, 10, 20])
    #expect(endpoints.allSatisfy { $0.priority == 0 })
  }

  @Test func `priorities and shares are seen in words`() throws {
    func texts(_ policy: String) throws -> [String] {
      let output = Self.compile(Self.entry(Self.endpoints(["us/us-1", "eu/x"])), policy: policy)
      return try #require(output.snapshot.clusters.first).settings.endpointTexts
    }
    #expect(
      try texts("outlierDetection: {}")
        == ["10.0.0.0:80 priority 0 in us/us-1", "10.0.0.1:80 priority 1 in eu/x"])
    #expect(
      try texts("loadBalancer: {localityLbSetting: {distribute: [{from: us/*, to: {us/*: 90, eu/*: 10}}]}}")
        == ["10.0.0.0:80 in us/us-1 with 90 of 100", "10.0.0.1:80 in eu/x with 10 of 100"])
    #expect(try texts("loadBalancer: {simple: RANDOM}") == ["10.0.0.0:80", "10.0.0.1:80"])
  }

  @Test func `an instance that does not know where it is is told so`() {
    let policy = "loadBalancer: {localityLbSetting: {distribute: [{from: us/*, to: {eu/*: 100}}]}}"
    let output = Self.compile(Self.entry(Self.endpoints(Self.places)), policy: policy, labels: [:])
    #expect(output.snapshot.clusters.first?.settings.endpoints.count == 6)
    #expect(output.diagnostics.contains { $0.code == "SP1060" && $0.location != nil })
    #expect(
      !Self.compile(Self.entry(Self.endpoints(Self.places)), policy: policy).diagnostics.contains {
        $0.code == "SP1060"
      })
  }

  @Test func `a Service asks for near endpoints by its traffic distribution`() {
    func priorities(_ service: String, annotation: String = "") -> [Int32] {
      let yaml =
        Self.entry([]).replacing("host: up.example", with: "host: s.n.svc.cluster.local").replacing(
          "endpoints: []", with: "endpoints: [{address: 10.0.0.9}]") + """
          ---
          apiVersion: v1
          kind: Service
          metadata: {name: s, namespace: n, annotations: {\(annotation)}}
          spec: {ports: [{port: 80, name: http}], \(service)}
          ---
          apiVersion: discovery.k8s.io/v1
          kind: EndpointSlice
          metadata: {name: s, namespace: n, labels: {kubernetes.io/service-name: s}}
          ports: [{name: http, port: 80}]
          endpoints:
          - {addresses: [10.0.0.1], zone: us-1, nodeName: a}
          - {addresses: [10.0.0.2], zone: us-1, nodeName: b}
          - {addresses: [10.0.0.3], zone: us-2}
          - {addresses: [10.0.0.4], zone: eu-1}

          """
      let labels = Self.here.merging(["kubernetes.io/hostname": "b"]) { $1 }
      let output = Self.compile(yaml, policy: nil, labels: labels)
      return output.snapshot.clusters.first?.settings.endpoints.map(\.priority) ?? []
    }
    #expect(priorities("type: ClusterIP") == [0, 0, 0, 0])
    #expect(priorities("trafficDistribution: PreferClose") == [0, 0, 1, 2])
    #expect(priorities("trafficDistribution: PreferSameZone") == [0, 0, 1, 2])
    #expect(priorities("trafficDistribution: PreferSameNode") == [1, 0, 2, 3])
    #expect(
      priorities("type: ClusterIP", annotation: "networking.istio.io/traffic-distribution: PreferClose") == [
        0, 0, 1, 2,
      ])
  }

  @Test func `nodes say where declared instances are`() throws {
    let yaml = """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: d, namespace: n}
      spec:
        template:
          metadata: {labels: {app: d}}
          spec: {nodeSelector: {topology.kubernetes.io/region: us, topology.kubernetes.io/zone: us-1, disk: ssd}}
      ---
      apiVersion: install.istio.io/v1alpha1
      kind: IstioOperator
      metadata: {name: o}
      spec:
        components:
          egressGateways:
          - {name: e, enabled: true, label: {app: e}, k8s: {nodeSelector: {topology.kubernetes.io/region: eu}}}
      """
    var result = LoadResult()
    ResourceLoader.load(text: Array(yaml.utf8), file: "test.yaml", into: &result)
    let instances = InstanceCatalog.instances(in: result.resources)
    #expect(instances.map { $0.identity.locality?.text } == ["us/us-1", "eu"])
    #expect(try #require(instances.first).identity.labels["disk"] == nil)
  }

  @Test func `warmup, in both forms`() throws {
    func warmup(_ balancer: String) -> WarmupPolicy? {
      let output = Self.compile(Self.entry(Self.endpoints(["x"])), policy: "loadBalancer: {\(balancer)}")
      return output.snapshot.clusters.first?.settings.warmup
    }
    #expect(warmup("simple: ROUND_ROBIN") == nil)
    let full = try #require(warmup("warmup: {duration: 10s, minimumPercent: 25, aggression: 1.5}"))
    #expect(full.durationMilliseconds == 10_000 && full.minimum == 0.25 && full.aggression == 1.5)
    let old = try #require(warmup("warmupDurationSecs: 20s"))
    #expect(old == WarmupPolicy(durationMilliseconds: 20_000) && old.minimum == 0.1 && old.aggression == 1)
  }
}
