/// What host names look like in resources.
package enum HostRules {
  /// `[namespace/]dnsName` in a Gateway server.
  static func checkServerHost(_ host: Located<String>, _ context: DecodingContext) {
    var name = host.value
    if let slash = name.firstIndex(of: "/") {
      let namespace = name[..<slash]
      name = String(name[name.index(after: slash)...])
      if name.contains("/") {
        return context.error("host must be of form namespace/dnsName", at: host.location)
      }
      if namespace.isEmpty || name.isEmpty {
        return context.error("config namespace and dnsName in host entry cannot be empty", at: host.location)
      }
    }
    if name == "*" || isIPLiteral(name) { return }
    if let problem = problem(with: name, allowsWildcard: true) { return context.error(problem, at: host.location) }
    if !name.contains(".") {
      context.error("short names (non FQDN) are not allowed: \"\(name)\"", at: host.location)
    }
  }

  /// Why `name` is not a DNS name (perhaps with a wildcard label on the left), in Istio's words; nil when it is.
  package static func problem(with name: String, allowsWildcard: Bool) -> String? {
    if name.isEmpty { return "empty domain name not allowed" }
    if name.utf8.count > 255 { return "domain name \"\(name)\" too long (max 255)" }
    var rest = Substring(name)
    if rest.hasPrefix("*") {
      guard allowsWildcard else { return "domain name \"\(name)\" invalid (wildcard not allowed)" }
      if rest == "*" { return nil }
      guard rest.hasPrefix("*.") else { return "partial wildcard \"\(name)\" not allowed" }
      rest = rest.dropFirst(2)
    }
    if rest.contains("*") { return "partial wildcard \"\(name)\" not allowed" }
    if rest.hasSuffix(".") { rest = rest.dropLast() }
    let labels = rest.split(separator: ".", omittingEmptySubsequences: false)
    for label in labels where !isLabel(label) {
      return "domain name \"\(name)\" invalid (label \"\(label)\" invalid)"
    }
    if let last = labels.last, labels.count > 1, last.allSatisfy(\.isNumber) {
      return "domain name \"\(name)\" invalid (top level domain \"\(last)\" cannot be all-numeric)"
    }
    return nil
  }

  /// RFC 1123, with underscores as they occur in practice.
  private static func isLabel(_ label: Substring) -> Bool {
    guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-" else { return false }
    return label.utf8.allSatisfy { byte in
      (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
    }
  }

  /// Whether the text is an IPv4 or IPv6 address.
  package static func isIPLiteral(_ text: String) -> Bool {
    if text.contains(":") { return text.utf8.allSatisfy { $0 == 0x3A || $0 == 0x2E || isHexadecimal($0) } }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { part in Int(part).map { (0...255).contains($0) } ?? false }
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
  }

  /// A port number of 1 to 65535.
  static func checkPort(_ port: Located<Int>?, _ context: DecodingContext) {
    guard let port, !(1...65535).contains(port.value) else { return }
    context.error("port number \(port.value) must be in the range 1..65535", at: port.location)
  }
}
