import Resources

/// Which settings of proxies are an instance's.
extension MeshProxyConfig {
  /// What the mesh says, and behind it what the instance's own pods say.
  static func all(_ resources: ResourceSet, _ identity: InstanceIdentity) -> [MeshProxyConfig] {
    var configs = resources.operators.compactMap { $0.spec.meshConfig?.defaultConfig }
    for resource in resources.operators {
      for component in resource.spec.components where component.name?.value == identity.name {
        configs += config(component.kubernetes?.podAnnotations)
      }
    }
    for deployment in resources.deployments
    where deployment.metadata.name == identity.name && deployment.metadata.namespace == identity.namespace {
      configs += config(deployment.spec.podAnnotations)
    }
    return configs
  }

  private static func config(_ annotations: [String: String]?) -> [MeshProxyConfig] {
    annotations?[MeshProxyConfig.annotation].flatMap { MeshProxyConfig(annotation: $0) }.map { [$0] } ?? []
  }
}
