/// Deployment: the labels of its pods, and their readiness.
package struct Deployment: Sendable {
  package var podLabels: [String: String]
  package var containerPorts: [String: Int]
  package var readinessProbes: [ReadinessProbe]

  init(_ reader: FieldReader) {
    reader.isLenient = true
    var labels: [String: String] = [:]
    var ports: [String: Int] = [:]
    var probes: [ReadinessProbe] = []
    _ = reader.object("template") { template in
      labels = template.object("metadata") { $0.stringMap("labels").mapValues(\.value) } ?? [:]
      _ = template.object("spec") { pod in
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
    containerPorts = ports
    readinessProbes = probes
  }
}
