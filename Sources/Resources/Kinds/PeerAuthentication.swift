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
  package var portLevel: [(port: Located<Int>, mode: Located<Mode>?)]

  init(_ reader: FieldReader) {
    selector = reader.object("selector") { $0.stringMap("matchLabels") }
    mode = reader.object("mtls") { $0.enumeration("mode", Mode.self) } ?? nil
    let ports = reader.objectMap("portLevelMtls") { $0.enumeration("mode", Mode.self) }
    let context = reader.context
    portLevel = ports.compactMap { key, mode in
      guard let number = Int(key.value), (1...65535).contains(number) else {
        context.error("port must be in range 1..65535", at: key.location)
        return nil
      }
      return (Located(number, at: key.location), mode)
    }
    if let selector { HostRules.checkSelector(selector, at: reader.keyLocation("selector"), reader.context) }
    guard reader.has("portLevelMtls") else { return }
    let place = reader.keyLocation("portLevelMtls")
    if selector?.isEmpty ?? true {
      context.error("mesh/namespace peer authentication cannot have port level mTLS", at: place)
    }
    if ports.isEmpty { context.error("port level mTLS, if defined, must have at least one element", at: place) }
  }
}
