import Resources

/// Which instances a policy is for: those of its namespace that its selector matches, from the root namespace those of
/// the whole mesh. What is attached to resources of the Gateway API or to services is for none of ours.
struct PolicyReach {
  let rootNamespace: String

  init(_ resources: ResourceSet) {
    rootNamespace =
      resources.operators.lazy.compactMap { $0.spec.meshConfig?.rootNamespace?.value }.first ?? "istio-system"
  }

  /// Whether policies of a namespace can be for an instance at all.
  func reaches(_ instance: InstanceIdentity, from namespace: String) -> Bool {
    instance.namespace == namespace || namespace == rootNamespace
  }

  func includes(_ instance: InstanceIdentity, _ policy: Resource<PolicyScope>) -> Bool {
    policy.spec.targetsLocation == nil && reaches(instance, from: policy.metadata.namespace)
      && instance.matches(policy.spec.selector.mapValues(\.value))
  }
}
