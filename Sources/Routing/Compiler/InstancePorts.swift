import Resources

/// The Services through which an instance is reached, and what their ports mean on it: those of the configuration that
/// select it, and the one that an IstioOperator's component makes of its `k8s.service.ports`.
struct InstancePorts {
  /// A Service.
  struct Source {
    /// `Service istio-system/istio-ingressgateway`
    let description: String
    /// The resource that findings are about.
    var resource: String?
    let selector: [String: String]
    let ports: [Service.Port]
  }

  /// A `targetPort` that names a container port which nobody declares.
  struct Unresolved {
    let source: Source
    let port: Service.Port
    let name: String
  }

  private let services: [Source]
  /// Behind the Services proper.
  private let components: [Source]
  private let resources: ResourceSet
  private let identity: InstanceIdentity

  init(_ resources: ResourceSet, _ identity: InstanceIdentity) {
    self.resources = resources
    self.identity = identity
    services = resources.services.filter {
      $0.metadata.namespace == identity.namespace && !$0.spec.selector.isEmpty && identity.matches($0.spec.selector)
        && $0.metadata.labels["experimental.istio.io/disable-gateway-port-translation"] != "true"
    }.map {
      Source(description: $0.description, resource: $0.description, selector: $0.spec.selector, ports: $0.spec.ports)
    }
    components = InstanceCatalog.components(in: resources).compactMap { component in
      guard component.identity.namespace == identity.namespace, identity.matches(component.selector),
        let ports = component.kubernetes?.servicePorts, !ports.isEmpty
      else { return nil }
      return Source(
        description: "component \(component.identity.name)", selector: component.selector, ports: ports)
    }
  }

  /// All ports of the Service that a component makes, for want of one proper; nil where there is none.
  var ofComponents: (ports: Set<Int>, description: String)? {
    guard !components.isEmpty else { return nil }
    return (Set(components.flatMap { $0.ports.map(\.port) }), components.map(\.description).joined(separator: ", "))
  }

  /// The sockets that a Service port means, none where no Service has it; and the names among them that nobody knows.
  func targets(of port: Int) -> (numbers: [Int], unresolved: [Unresolved]) {
    let found = targets(of: port, in: services)
    return found.numbers.isEmpty && found.unresolved.isEmpty ? targets(of: port, in: components) : found
  }

  private func targets(of port: Int, in sources: [Source]) -> (numbers: [Int], unresolved: [Unresolved]) {
    var numbers: [Int] = []
    var unresolved: [Unresolved] = []
    for source in sources {
      for entry in source.ports where entry.port == port {
        switch entry.targetPort {
        case nil: break
        case .number(let number)?: if !numbers.contains(number) { numbers.append(number) }
        case .name(let name)?:
          let number = resources.containerPort(
            name, of: source.selector, in: identity.namespace, preferring: identity.name)
          if let number {
            if !numbers.contains(number) { numbers.append(number) }
          } else {
            unresolved.append(Unresolved(source: source, port: entry, name: name))
          }
        }
      }
    }
    return (numbers, unresolved)
  }
}

extension ResourceSet {
  /// The number of a named container port, of the Deployment whose pods a Service selects.
  ///
  /// - Parameter preferred: the name of the Deployment that counts where several are selected.
  func containerPort(
    _ name: String, of selector: [String: String], in namespace: String, preferring preferred: String? = nil
  ) -> Int? {
    guard !selector.isEmpty else { return nil }
    let selected = deployments.filter { deployment in
      deployment.metadata.namespace == namespace
        && selector.allSatisfy { deployment.spec.podLabels[$0.key] == $0.value }
    }
    let own = selected.first { $0.metadata.name == preferred }
    return ([own].compactMap { $0 } + selected).lazy.compactMap { $0.spec.containerPorts[name] }
      .first { (1...65535).contains($0) }
  }
}
