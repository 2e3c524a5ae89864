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
      if !namespace.isEmpty, namespace != "*", namespace != ".", !isLabel(String(namespace)) {
        return context.error("invalid namespace value \"\(namespace)\" in gateway", at: host.location)
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
    if rest.utf8.contains(0x2A) { return "partial wildcard \"\(name)\" not allowed" }
    if rest.hasSuffix(".") { rest = rest.dropLast() }
    let labels = rest.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).map(Substring.init)
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
    guard (1...63).contains(label.utf8.count), label.utf8.first != 0x2D, label.utf8.last != 0x2D else { return false }
    return label.utf8.allSatisfy { byte in
      (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
    }
  }

  /// Whether a name is one DNS label (RFC 1123).
  package static func isLabel(_ text: String) -> Bool { isLabel(Substring(text)) && !text.utf8.contains(0x5F) }

  /// Whether every name that `name` stands for is also one of `pattern`.
  static func isSubset(_ name: String, of pattern: String) -> Bool {
    let name = name.lowercased()
    let pattern = pattern.lowercased()
    if pattern == "*" || name == pattern { return true }
    guard pattern.hasPrefix("*.") else { return false }
    return (name.hasPrefix("*") ? name.dropFirst() : Substring(name)).hasSuffix(pattern.dropFirst())
  }

  /// Whether some name is one of both patterns.
  static func overlap(_ left: String, _ right: String) -> Bool {
    isSubset(left, of: right) || isSubset(right, of: left)
  }

  /// How Istio marks the address of a unix-domain socket: `unix:///run/app.sock`, `unix://@abstract`.
  package static let unixPrefix = "unix://"
  /// What the kernel has room for.
  static let maxUnixPathBytes = 107

  /// Checks the address of a unix-domain socket (`ValidateUnixAddress`), and its length, over which Envoy refuses it.
  static func checkUnixAddress(_ address: Located<String>, _ context: DecodingContext) {
    let path = address.value.dropFirst(unixPrefix.count)
    if !address.value.hasPrefix(unixPrefix) || !(path.hasPrefix("/") || path.hasPrefix("@")) {
      context.error("unix endpoint \(address.value) must be an absolute path or abstract socket", at: address.location)
    } else if path.hasSuffix("/") || path == "@" {
      context.error("unix endpoint \(address.value) may not be a directory", at: address.location)
    } else if path.utf8.count > maxUnixPathBytes {
      context.error(
        "unix endpoint \(address.value) has \(path.utf8.count) bytes, a socket's path has at most \(maxUnixPathBytes)",
        at: address.location)
    } else if path.utf8.contains(0) {
      context.error("unix endpoint \(address.value) must not have a zero byte", at: address.location)
    }
  }

  /// Whether the text is an IPv4 or IPv6 address.
  package static func isIPLiteral(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

  private static func isIPv4(_ text: some StringProtocol) -> Bool {
    let parts = text.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.count) && part.allSatisfy { $0 &- 0x30 < 10 }
          && part.reduce(0) { $0 * 10 + Int($1 &- 0x30) } <= 255
      }
  }

  /// RFC 4291, section 2.2; a zone (`%eth0`) may follow.
  private static func isIPv6(_ text: String) -> Bool {
    guard text.utf8.contains(0x3A) else { return false }
    let address = text.prefix { $0 != "%" }
    let halves = address.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    var groups = 0
    for (index, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (position, part) in parts.enumerated() {
        let isLast = index == halves.count - 1 && position == parts.count - 1
        if isLast, part.contains(".") {
          guard isIPv4(part) else { return false }
          groups += 2
        } else {
          guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal) else { return false }
          groups += 1
        }
      }
    }
    return halves.count == 2 ? groups < 8 : groups == 8
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
  }

  /// `10.0.0.0/8`, or an address.
  static func checkSubnet(_ subnet: Located<String>, _ context: DecodingContext) {
    let parts = subnet.value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let address = String(parts[0])
    let limit = address.contains(":") ? 128 : 32
    let isLengthGood = parts.count == 1 || (Int(parts[1]).map { (0...limit).contains($0) } ?? false)
    if !isIPLiteral(address) || !isLengthGood {
      context.error("\(subnet.value) is not a valid CIDR block", at: subnet.location)
    }
  }

  /// `name`, `namespace/name`, or `mesh`.
  static func checkGatewayReference(_ gateway: Located<String>, _ context: DecodingContext) {
    let text = gateway.value
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2 {
      if parts[0].isEmpty || parts[1].isEmpty {
        return context.error("config namespace and gateway name cannot be empty", at: gateway.location)
      }
      if parts[0] != ".", !isLabel(parts[0]) {
        context.error("invalid value for namespace: \"\(parts[0])\"", at: gateway.location)
      }
      if !isLabel(parts[1]) { context.error("invalid value for gateway name: \"\(parts[1])\"", at: gateway.location) }
    } else if parts.count > 2 || text.isEmpty {
      context.error("invalid value for gateway name: \"\(text)\"", at: gateway.location)
    } else if let dot = text.firstIndex(of: ".") {
      let namespace = text[text.index(after: dot)...].prefix { $0 != "." }
      context.warning(
        "using legacy gatewayName format \"\(text)\"; prefer the <namespace>/<name> format: \"\(namespace)/\(text[..<dot])\"",
        at: gateway.location)
    } else if !isLabel(text) {
      context.error("invalid value for gateway name: \"\(text)\"", at: gateway.location)
    }
  }

  /// `*`, `.`, `~` or namespaces.
  static func checkExportTo(_ exportTo: [Located<String>], allowsNobody: Bool = false, _ context: DecodingContext) {
    var seen: Set<String> = []
    for entry in exportTo {
      if !seen.insert(entry.value).inserted {
        context.error("duplicate entries in exportTo for entry \(entry.value)", at: entry.location)
      } else if entry.value == context.namespace, exportTo.contains(where: { $0.value == "." }) {
        context.error(
          "duplicate entries in exportTo: . and current namespace \(context.namespace)", at: entry.location)
      } else if entry.value == "~" {
        if !allowsNobody {
          context.error("invalid exportTo value \"~\"", at: entry.location)
        } else if exportTo.count > 1 {
          context.error("cannot export service entry to no one (~) and someone", at: entry.location)
        }
      } else if entry.value == "*" {
        if exportTo.count > 1 {
          context.error("cannot have both public (*) and non-public exportTo values for a resource", at: entry.location)
        }
      } else if entry.value != ".", !isLabel(entry.value) {
        context.error("invalid exportTo value \"\(entry.value)\": not a namespace", at: entry.location)
      }
    }
  }

  /// Labels that are given to something, or compared with such: Kubernetes' rules.
  static func checkLabels(_ labels: [String: Located<String>], _ context: DecodingContext) {
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
      if !isLabelKey(key) {
        context.error("invalid label key: \"\(key)\"", at: value.location)
      } else if !isLabelText(value.value), !value.value.isEmpty {
        context.error("invalid label value: \"\(value.value)\"", at: value.location)
      }
    }
  }

  /// `version`, `example.com/version`
  private static func isLabelKey(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1 { return isLabelText(parts[0]) }
    return parts.count == 2 && problem(with: parts[0], allowsWildcard: false) == nil && isLabelText(parts[1])
  }

  private static func isLabelText(_ text: String) -> Bool {
    guard (1...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else {
      return false
    }
    let isAlphanumeric = { (byte: UInt8) in (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
  }

  /// Labels that a selector asks for.
  ///
  /// - Parameters:
  ///   - place: where the selector is; nil: one without labels means everything, and is meant so.
  ///   - kind: the kinds of the networking group have their name in the message, and what comes of it.
  static func checkSelector(
    _ labels: [String: Located<String>], at place: SourceLocation? = nil, of kind: String? = nil,
    _ context: DecodingContext
  ) {
    if labels.isEmpty, let place {
      let bare = "workload selector specified without labels"
      let whole = kind.map { "\($0): \(bare), will be applied to all services in namespace" }
      context.warning(whole ?? bare, at: place)
    }
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
      if key.isEmpty {
        context.error("empty key is not supported in selector: \"\(key)=\(value.value)\"", at: value.location)
      } else if key.contains("*") || value.value.contains("*") {
        context.error("wildcard is not supported in selector: \"\(key)=\(value.value)\"", at: value.location)
      }
    }
  }

  /// Names of ports are DNS labels.
  static func checkPortNames(_ names: [Located<String>], _ context: DecodingContext) {
    for name in names where !isLabel(name.value) {
      context.error("invalid port name: \(name.value)", at: name.location)
    }
  }

  /// A port number of 1 to 65535.
  static func checkPort(_ port: Located<Int>?, _ context: DecodingContext) {
    guard let port, !(1...65535).contains(port.value) else { return }
    context.error("port number \(port.value) must be in the range 1..65535", at: port.location)
  }
}
