/// networking.istio.io EnvoyFilter: changes to the configuration that Istio gives Envoy. It is read and checked; there is
/// no Envoy here whose configuration could be changed.
package struct EnvoyFilter: Sendable {
  package let scope: PolicyScope
  package let patches: [EnvoyFilterPatch]

  init(_ reader: FieldReader) {
    scope = PolicyScope(reader, selector: "workloadSelector", labels: "labels", allowsSingleTarget: false)
    for (_, place) in reader.nullItems("configPatches") {
      reader.context.error("Envoy filter: null config patch", at: place)
    }
    patches = reader.objects("configPatches", EnvoyFilterPatch.init)
    _ = reader.integer("priority")
  }
}
