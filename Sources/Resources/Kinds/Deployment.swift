/// Deployment: the labels of its pods, and their readiness.
package struct Deployment: Sendable {
  package var podLabels: [String: String]
  package var podAnnotations: [String: String]
  /// Labels of the nodes that its pods run on.
  package var nodeSelector: [String: String]
  package var containerPorts: [String: Int]
  package var readinessProbes: [ReadinessProbe]

  init(_ reader: FieldReader) {
    reader.isLenient = true
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var nodes: [String: String] = [:]
    var ports: [String: Int] = [:]
    var probes: [ReadinessProbe] = []
    _ = reader.object("template") { template in
      _ = template.object("metadata") { metadata in
        labels = metadata.stringMap("labels").mapValues(\.value)
        annotations = metadata.stringMap("annotations").mapValues(\.value)
      }
      _ = template.object("spec") { pod in
        nodes = pod.stringMap("nodeSelector").mapValues(\.value)
        _ = pod.objects("containers") { container in
          for (name, port) in container.objects(
            "ports", { ($0.string("name")?.value ?? "", $0.integer("containerPort")?.value ?? 0) })
          {
            ports[name] = port
          }
          if let probe = container.object("readinessProbe", ReadinessProbe.init) { probes.append(probe) }
        }
      }
    }
    podLabels = labels
    podAnnotations = annotations
    nodeSelector = nodes
    containerPorts = ports
    readinessProbes = probes
  }
}
