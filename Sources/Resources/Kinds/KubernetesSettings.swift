/// The `k8s` block of an IstioOperator component: settings of the Deployment and the Service that the installer makes.
package struct KubernetesSettings: Sendable {
  /// Changes to the objects that the installer makes.
  package struct Overlay: Sendable {
    package struct Patch: Sendable {
      package var location: SourceLocation
      /// `spec.template.spec.containers[0].readinessProbe`
      package var path: Located<String>?
    }

    package var kind: Located<String>?
    package var name: Located<String>?
    package var patches: [Patch]
  }

  package var overlays: [Overlay]
  package var servicePorts: [Service.Port]
  package var environment: [String: String]
  package var replicaCount: Located<Int>?
  package var podAnnotations: [String: String]
  /// Labels of the nodes that the instance runs on.
  package var nodeSelector: [String: String]
  /// The probes of the instance's containers, by overlay and by `readinessProbe`.
  package var readinessProbes: [ReadinessProbe]

  init(_ reader: FieldReader) {
    var builder = PatchedProbes()
    overlays = reader.objects("overlays") { Self.overlay($0, &builder) }
    servicePorts =
      reader.object("service") { service -> [Service.Port] in
        service.isLenient = true
        return service.objects("ports", Service.Port.init)
      } ?? []
    environment = [:]
    let variables = reader.objects("env") { variable -> (String, String) in
      variable.isLenient = true
      return (variable.string("name")?.value ?? "", variable.text("value")?.value ?? "")
    }
    for (name, value) in variables { environment[name] = value }
    replicaCount = reader.integer("replicaCount", in: 0...Int.max)
    podAnnotations = reader.stringMap("podAnnotations").mapValues(\.value)
    nodeSelector = reader.stringMap("nodeSelector").mapValues(\.value)
    let own = reader.object("readinessProbe") { probe -> ReadinessProbe in
      probe.isLenient = true
      return ReadinessProbe(probe)
    }
    readinessProbes = builder.probes + [own].compactMap { $0 }
    reader.accept(
      "affinity", "hpaSpec", "imagePullPolicy", "podDisruptionBudget", "podSecurityContext",
      "priorityClassName", "resources", "securityContext", "serviceAnnotations", "strategy", "tolerations", "volumes",
      "volumeMounts", "scaleTargetRef", "extensions")
  }

  private static func overlay(_ reader: FieldReader, _ probes: inout PatchedProbes) -> Overlay {
    reader.accept("apiVersion")
    let kind = reader.string("kind")
    let name = reader.string("name")
    let patches = reader.objects("patches") { patch -> Overlay.Patch in
      let path = patch.string("path")
      patch.accept("value")
      patch.require("path", path, "patch must have a path")
      // A Service or an autoscaler has no probes.
      if let path, kind == nil || kind?.value == "Deployment" {
        probes.apply(patch, at: path.value, path.location)
      }
      if let path, kind?.value == "Service", path.value.hasPrefix("spec.ports") {
        reader.context.report(
          .warning, "a patch of \(path.value) is not acted on", at: path.location, code: "SP1001",
          help: "say the ports in k8s.service.ports")
      }
      return Overlay.Patch(location: patch.location, path: path)
    }
    return Overlay(kind: kind, name: name, patches: patches)
  }
}
