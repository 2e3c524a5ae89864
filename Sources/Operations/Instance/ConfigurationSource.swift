import Resources
import Routing

/// Reads the configuration and compiles it for an instance.
package struct ConfigurationSource: Sendable {
  package let paths: [String]
  package let secrets: [String]
  package let selection: InstanceSelection
  package let compiler: CompilerOptions

  package init(paths: [String], secrets: [String], selection: InstanceSelection, compiler: CompilerOptions) {
    self.paths = paths
    self.secrets = secrets
    self.selection = selection
    self.compiler = compiler
  }

  /// Why nothing could be loaded at all.
  package enum Failure: Error {
    /// Paths that do not exist or cannot be read.
    case unreadable([String])
    /// There are no resources in the paths.
    case empty
    /// The instance is not in the configuration; those that are.
    case unknownInstance(String, [String])
  }

  /// Reads all resources, secrets from directories included.
  package func read() -> Result<LoadResult, Failure> {
    var result = ResourceLoader.load(paths)
    guard result.unreadable.isEmpty else { return .failure(.unreadable(result.unreadable)) }
    let namespace = selection.namespace ?? identity(in: result.resources)?.identity.namespace ?? "istio-system"
    for directory in secrets {
      guard let found = SecretsDirectory.load(directory, namespace: namespace) else {
        return .failure(.unreadable([directory]))
      }
      result.resources.secrets += found
    }
    return .success(result)
  }

  /// The instances that the resources declare, as far as they can be read.
  package var declaredInstances: [InstanceIdentity] {
    InstanceCatalog.instances(in: ResourceLoader.load(paths).resources).map(\.identity)
  }

  /// The identity that flags and configuration give; nil when a named instance is not there.
  package func identity(in resources: ResourceSet) -> InstanceCatalog.Entry? {
    let declared = InstanceCatalog.instances(in: resources)
    if let name = selection.name {
      let found = declared.first {
        $0.identity.name == name && (selection.namespace == nil || $0.identity.namespace == selection.namespace)
      }
      if let found { return adjusted(found) }
      // Labels say who it is, the name is only a name.
      guard !selection.labels.isEmpty else { return nil }
      return .init(identity: flagIdentity(name), readinessProbes: [], location: nil)
    }
    if !selection.labels.isEmpty || selection.namespace != nil {
      let identity = flagIdentity(nil)
      let twin = declared.first { $0.identity.namespace == identity.namespace && $0.identity.matches(selection.labels) }
      return .init(identity: identity, readinessProbes: twin?.readinessProbes ?? [], location: twin?.location)
    }
    return declared.count == 1 ? declared[0] : nil
  }

  private func adjusted(_ entry: InstanceCatalog.Entry) -> InstanceCatalog.Entry {
    var identity = entry.identity
    for (key, value) in selection.labels { identity.labels[key] = value }
    return .init(identity: identity, readinessProbes: entry.readinessProbes, location: entry.location)
  }

  private func flagIdentity(_ name: String?) -> InstanceIdentity {
    let labels = selection.labels
    let canonical = name ?? labels["service.istio.io/canonical-name"] ?? labels["app"] ?? "sallyport"
    return InstanceIdentity(name: canonical, namespace: selection.namespace ?? "default", labels: labels)
  }
}
