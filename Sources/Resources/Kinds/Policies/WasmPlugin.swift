/// extensions.istio.io WasmPlugin: a filter in WebAssembly. It is read and checked; the gateway runs no such filters.
package struct WasmPlugin: Sendable {
  package enum Phase: String, Sendable, CaseIterable {
    case unspecified = "UNSPECIFIED_PHASE"
    case authn = "AUTHN"
    case authz = "AUTHZ"
    case stats = "STATS"
  }

  private enum PullPolicy: String, CaseIterable {
    case unspecified = "UNSPECIFIED_POLICY"
    case ifNotPresent = "IfNotPresent"
    case always = "Always"
  }

  private enum FailStrategy: String, CaseIterable {
    case close = "FAIL_CLOSE"
    case open = "FAIL_OPEN"
    case reload = "FAIL_RELOAD"
  }

  private enum PluginType: String, CaseIterable {
    case unspecified = "UNSPECIFIED_PLUGIN_TYPE"
    case http = "HTTP"
    case network = "NETWORK"
  }

  private enum Mode: String, CaseIterable {
    case undefined = "UNDEFINED"
    case client = "CLIENT"
    case server = "SERVER"
    case clientAndServer = "CLIENT_AND_SERVER"
  }

  private enum ValueSource: String, CaseIterable {
    case inline = "INLINE"
    case host = "HOST"
  }

  package let scope: PolicyScope
  package let url: Located<String>?
  package let phase: Located<Phase>?

  init(_ reader: FieldReader) {
    scope = PolicyScope(reader)
    url = reader.string("url")
    phase = reader.enumeration("phase", Phase.self)
    let checksum = reader.string("sha256")
    _ = reader.enumeration("imagePullPolicy", PullPolicy.self)
    let secret = reader.string("imagePullSecret")
    _ = reader.string("verificationKey")
    reader.accept("pluginConfig")
    let name = reader.string("pluginName")
    _ = reader.integer("priority")
    _ = reader.enumeration("failStrategy", FailStrategy.self)
    _ = reader.enumeration("type", PluginType.self)
    _ = reader.object("vmConfig") { machine in
      let names = machine.objects("env", Self.variable).compactMap { $0 }
      for (index, name) in names.enumerated() where names[..<index].contains(where: { $0.value == name.value }) {
        machine.context.error("duplicate env \(name.value) found", at: name.location)
      }
    }
    _ = reader.objects("match") { match in
      _ = match.enumeration("mode", Mode.self)
      _ = match.objects("ports") { port in
        HostRules.checkPort(port.integer("number"), port.context)
        port.require("number", "port number is required")
      }
    }
    reader.require("url", url, "url field needs to be set")
    let context = reader.context
    if let url { Self.checkURL(url, context) }
    if let checksum { Self.checkChecksum(checksum, context) }
    if let secret, secret.value.utf8.count > 253 {
      context.error("imagePullSecret field must be less than 253 characters long", at: secret.location)
    }
    for (field, value) in [("imagePullSecret", secret), ("pluginName", name)] {
      if let value, value.value.isEmpty { context.error("\(field) may not be empty", at: value.location) }
    }
    if let name, name.value.utf8.count > 256 {
      context.error("pluginName field must be less than 255 characters long", at: name.location)
    }
  }

  private static func variable(_ reader: FieldReader) -> Located<String>? {
    let name = reader.string("name")
    let value = reader.string("value")
    let source = reader.enumeration("valueFrom", ValueSource.self)
    reader.require("name", name, "spec.vmConfig.env invalid")
    if let name, name.value.utf8.count > 256 {
      reader.context.error("env.name field must be less than 255 characters long", at: name.location)
    }
    if source?.value == .host, let value, !value.value.isEmpty {
      reader.context.error(
        "value for env \(name?.value ?? "") must not be set when valueFrom is HOST", at: value.location)
    }
    return name
  }

  private static func checkURL(_ url: Located<String>, _ context: DecodingContext) {
    if let problem = problem(with: url.value) {
      return context.error("failed to parse url: \(problem)", at: url.location)
    }
    guard let end = url.value.firstRange(of: "://") else { return }
    let schemes = ["file", "http", "https", "oci"]
    let scheme = String(url.value[..<end.lowerBound])
    if !schemes.contains(scheme) {
      context.error(
        "url contains unsupported scheme: \(scheme)", at: url.location,
        help: Suggestion.help(for: scheme, among: schemes) ?? "one of \(schemes.joined(separator: ", "))")
    }
  }

  /// What no URL has (RFC 3986, section 2.1).
  private static func problem(with url: String) -> String? {
    if url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "it has a space or control character" }
    let parts = url.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
    let isEscaped = parts.allSatisfy { $0.utf8.count >= 2 && $0.prefix(2).allSatisfy(\.isHexDigit) }
    return isEscaped ? nil : "% is not followed by two hexadecimal digits"
  }

  private static func checkChecksum(_ checksum: Located<String>, _ context: DecodingContext) {
    let digits = checksum.value.utf8
    if digits.isEmpty { return }
    if digits.count != 64 {
      context.error("sha256 field must be 64 characters long", at: checksum.location)
    } else if !digits.allSatisfy({ $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }) {
      context.error("sha256 field must match [a-f0-9]{64} pattern", at: checksum.location)
    }
  }
}
