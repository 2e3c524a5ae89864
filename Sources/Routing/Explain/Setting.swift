/// Something that a rule or an upstream is told to do, in the words of the resources.
package struct Setting: Sendable, Hashable {
  /// `timeout`, `retries`, `tls.sni`
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// A value under its name; the fields of a struct one by one, `outlierDetection.maxEjectionPercent`.
  static func fields(_ name: String, _ value: Any) -> [Setting] {
    if let bytes = value as? [UInt8] { return [Setting(name, Snapshot.text(bytes))] }
    if let number = value as? Int, number == .max { return [Setting(name, "unlimited")] }
    let mirror = Swift.Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { fields(name, $0.value) } ?? []
    case .struct where !mirror.children.isEmpty:
      return mirror.children.flatMap { fields("\(name).\($0.label ?? "")", $0.value) }
    case .enum where mirror.children.count == 1:
      let child = mirror.children.first
      return child.map { [Setting(name, $0.label ?? "")] + fields("\(name).\($0.label ?? "")", $0.value) } ?? []
    default: return [Setting(name, "\(value)")]
    }
  }
}
