/// security.istio.io PeerAuthentication. It does not apply to the servers of a Gateway; it is checked and explained.
package struct PeerAuthentication: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    case unset = "UNSET"
    case disable = "DISABLE"
    case permissive = "PERMISSIVE"
    case strict = "STRICT"
  }

  package var selector: [String: Located<String>]?
  package var mode: Located<Mode>?

  init(_ reader: FieldReader) {
    selector = reader.object("selector") { $0.stringMap("matchLabels") }
    mode = reader.object("mtls") { $0.enumeration("mode", Mode.self) } ?? nil
    let ports = reader.objectMap("portLevelMtls") { $0.enumeration("mode", Mode.self) }
    if !ports.isEmpty, selector == nil {
      reader.context.error("mesh/namespace peer authentication cannot have port level mTLS", at: reader.location)
    }
    for (key, _) in ports where !(Int(key.value).map { (1...65535).contains($0) } ?? false) {
      reader.context.error("port must be in range 1..65535", at: key.location)
    }
  }
}
