/// install.istio.io IstioOperator: which gateway instances there are, and settings of the mesh.
package struct IstioOperator: Sendable {
  /// A gateway instance.
  package struct Component: Sendable {
    package var location: SourceLocation
    package var name: Located<String>?
    package var namespace: Located<String>?
    package var enabled: Bool
    package var labels: [String: String]
    /// Settings of the instance's Kubernetes objects.
    package var kubernetes: KubernetesSettings?
    package var isEgress = false

    /// Readiness probes that overlays put on the instance's Deployment.
    package var readinessProbes: [ReadinessProbe] { kubernetes?.readinessProbes ?? [] }

    init(_ reader: FieldReader) {
      location = reader.location
      name = reader.string("name")
      namespace = reader.string("namespace")
      enabled = reader.boolean("enabled")?.value ?? false
      labels = reader.stringMap("label").mapValues(\.value)
      kubernetes = reader.object("k8s", KubernetesSettings.init)
      reader.accept("tag", "hub", "revision", "spec")
      reader.require("name", name, "gateway component must have a name")
    }
  }

  /// The installation profile; `default`, `demo` and others bring an ingress gateway of their own.
  package var profile: String?
  package var tag: Located<String>?
  package var hub: Located<String>?
  package var revision: Located<String>?
  package var namespace: Located<String>?
  package var meshConfig: MeshConfig?
  package var components: [Component]

  private static let profiles = [
    "default", "demo", "minimal", "empty", "preview", "ambient", "remote", "external", "openshift", "openshift-ambient",
    "stable", "sds", "separate", "platform-k3d", "platform-k3s", "platform-microk8s", "platform-minikube",
  ]

  init(_ reader: FieldReader) {
    let profile = reader.string("profile")
    self.profile = profile?.value
    tag = reader.text("tag")
    hub = reader.string("hub")
    revision = reader.text("revision")
    namespace = reader.string("namespace")
    meshConfig = reader.object("meshConfig", MeshConfig.init)
    components = reader.object("components", Self.components) ?? []
    // What the installer reads, and a gateway does not.
    reader.accept(
      "values", "installPackagePath", "unvalidatedValues", "addonComponents", "defaultRevision", "compatibilityVersion",
      "resourceSuffix")
    if let profile, let help = Suggestion.help(for: profile.value, among: Self.profiles),
      !Self.profiles.contains(profile.value)
    {
      reader.context.warning("unknown profile \"\(profile.value)\"", at: profile.location, help: help)
    }
  }

  private static func components(_ reader: FieldReader) -> [Component] {
    let ingress = reader.objects("ingressGateways", Component.init)
    let egress = reader.objects("egressGateways", Component.init).map { component in
      var component = component
      component.isEgress = true
      return component
    }
    reader.accept(
      "base", "pilot", "cni", "ztunnel", "istiodRemote", "proxy", "policy", "telemetry", "citadel", "galley",
      "nodeAgent",
      "sidecarInjector", "certManager", "coreDNS")
    return ingress + egress
  }
}
