/// The metadata that every resource has.
package struct Metadata: Sendable {
  package var name = ""
  package var namespace = "default"
  package var labels: [String: String] = [:]
  package var annotations: [String: String] = [:]
  /// RFC 3339, as the API server writes it; sorts as text.
  package var creationTimestamp: String?
  /// Counts the changes of the spec; an API server sets it.
  package var generation: Int?
  package var nameLocation: SourceLocation?
  /// The places of the keys of those annotations that are Istio's.
  package var annotationLocations: [String: SourceLocation] = [:]

  package init() {}

  init(_ reader: FieldReader) {
    let name = reader.string("name")
    self.name = name?.value ?? ""
    nameLocation = name?.location
    if let namespace = reader.string("namespace")?.value, !namespace.isEmpty { self.namespace = namespace }
    labels = reader.stringMap("labels").mapValues(\.value)
    annotations = reader.stringMap("annotations").mapValues(\.value)
    for key in reader.keys("annotations") where key.value.contains("istio.io/") {
      annotationLocations[key.value] = key.location
    }
    creationTimestamp = reader.text("creationTimestamp")?.value
    generation = reader.integer("generation")?.value
    // What an API server adds to every object.
    reader.accept(
      "generateName", "uid", "resourceVersion", "selfLink", "managedFields", "ownerReferences", "finalizers",
      "deletionTimestamp", "deletionGracePeriodSeconds", "clusterName", "initializers")
  }
}

/// One resource of a kind.
package struct Resource<Spec> {
  package let kind: String
  package let metadata: Metadata
  /// Where the document begins.
  package let location: SourceLocation
  package let spec: Spec

  package init(kind: String, metadata: Metadata, location: SourceLocation, spec: Spec) {
    self.kind = kind
    self.metadata = metadata
    self.location = location
    self.spec = spec
  }

  /// `httpbin/httpbin-egress`
  package var reference: String { "\(metadata.namespace)/\(metadata.name)" }

  /// `VirtualService httpbin/httpbin-egress`
  package var description: String { "\(kind) \(reference)" }

  /// Istio's order of resources: by creation, then by namespace and name.
  package var orderKey: (String, String, String) {
    (metadata.creationTimestamp ?? "", metadata.namespace, metadata.name)
  }
}

extension Resource: Sendable where Spec: Sendable {}
