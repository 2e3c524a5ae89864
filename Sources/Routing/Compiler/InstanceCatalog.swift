import Resources

/// The instances that a configuration declares: components of IstioOperators, and Deployments.
package enum InstanceCatalog {
  /// An instance with the readiness probes that its resources give it.
  package struct Entry: Sendable {
    package let identity: InstanceIdentity
    package let readinessProbes: [ReadinessProbe]
    package let location: SourceLocation?

    package init(identity: InstanceIdentity, readinessProbes: [ReadinessProbe], location: SourceLocation?) {
      self.identity = identity
      self.readinessProbes = readinessProbes
      self.location = location
    }
  }

  /// Profiles that install `istio-ingressgateway` in `istio-system`.
  private static let profilesWithIngress: Set<String> = ["default", "demo", "preview", "openshift", "stable"]

  /// All declared instances, in the order of their names; components win over Deployments of the same name.
  package static func instances(in resources: ResourceSet) -> [Entry] {
    var entries: [Entry] = []
    for resource in resources.operators {
      for component in resource.spec.components where component.enabled {
        append(entry(component, of: resource.spec), to: &entries)
      }
    }
    for resource in resources.operators
    where resource.spec.profile.map({ profilesWithIngress.contains($0) }) ?? false {
      append(defaultIngress, to: &entries)
    }
    for deployment in resources.deployments { append(entry(deployment), to: &entries) }
    return entries.sorted { ($0.identity.name, $0.identity.namespace) < ($1.identity.name, $1.identity.namespace) }
  }

  /// Instances that Gateways speak of and nobody declares, as in `kubectl get` output without the operator: one for
  /// each selector that no declared instance satisfies. For checking, not for running.
  package static func implied(in resources: ResourceSet, beside declared: [Entry]) -> [Entry] {
    var entries: [Entry] = []
    for gateway in resources.gateways {
      let labels = gateway.spec.selector.mapValues(\.value)
      guard !(declared + entries).contains(where: { $0.identity.matches(labels) }) else { continue }
      let name = labels["service.istio.io/canonical-name"] ?? labels["istio"] ?? labels["app"] ?? gateway.metadata.name
      entries.append(
        Entry(
          identity: InstanceIdentity(name: name, namespace: gateway.metadata.namespace, labels: labels),
          readinessProbes: [], location: gateway.location))
    }
    return entries
  }

  private static func append(_ entry: Entry, to entries: inout [Entry]) {
    let isKnown = entries.contains {
      $0.identity.name == entry.identity.name && $0.identity.namespace == entry.identity.namespace
    }
    if !isKnown { entries.append(entry) }
  }

  /// An enabled component of an IstioOperator.
  struct Component {
    let identity: InstanceIdentity
    /// What the Service that the installer makes for it selects.
    let selector: [String: String]
    let kubernetes: KubernetesSettings?
  }

  /// The gateway components of all IstioOperators that are enabled.
  static func components(in resources: ResourceSet) -> [Component] {
    resources.operators.flatMap { resource in
      resource.spec.components.filter(\.enabled).map { component in
        Component(
          identity: entry(component, of: resource.spec).identity, selector: labels(of: component),
          kubernetes: component.kubernetes)
      }
    }
  }

  private static func usualName(of component: IstioOperator.Component) -> String {
    component.isEgress ? "istio-egressgateway" : "istio-ingressgateway"
  }

  private static func labels(of component: IstioOperator.Component) -> [String: String] {
    let usual = usualName(of: component)
    return component.labels.isEmpty ? ["app": usual, "istio": String(usual.dropFirst(6))] : component.labels
  }

  private static func entry(_ component: IstioOperator.Component, of spec: IstioOperator) -> Entry {
    var labels = labels(of: component)
    add(nodes: component.kubernetes?.nodeSelector ?? [:], to: &labels)
    return Entry(
      identity: InstanceIdentity(
        name: component.name?.value ?? usualName(of: component),
        namespace: component.namespace?.value ?? spec.namespace?.value ?? "istio-system", labels: labels),
      readinessProbes: component.readinessProbes, location: component.location)
  }

  private static let defaultIngress = Entry(
    identity: InstanceIdentity(
      name: "istio-ingressgateway", namespace: "istio-system",
      labels: ["app": "istio-ingressgateway", "istio": "ingressgateway"]),
    readinessProbes: [], location: nil)

  private static func entry(_ deployment: Resource<Deployment>) -> Entry {
    var labels = deployment.spec.podLabels
    add(nodes: deployment.spec.nodeSelector, to: &labels)
    return Entry(
      identity: InstanceIdentity(
        name: deployment.metadata.name, namespace: deployment.metadata.namespace, labels: labels),
      readinessProbes: deployment.spec.readinessProbes, location: deployment.location)
  }

  /// Istio labels a workload with the topology of its node.
  private static func add(nodes: [String: String], to labels: inout [String: String]) {
    for key in [Locality.regionLabel, Locality.zoneLabel, Locality.subzoneLabel] where labels[key] == nil {
      labels[key] = nodes[key]
    }
  }
}
