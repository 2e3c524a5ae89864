/// A Kubernetes probe: what is asked, how often, and what counts.
package struct ReadinessProbe: Sendable {
  /// What is asked over HTTP.
  package struct HTTPGet: Sendable {
    package var path: String
    /// nil also where the port is given by a container's port name, as a Deployment may.
    package var port: Located<Int>?
    package var host: String?
    package var scheme: String?
    package var headers: [(name: String, value: String)]

    init(_ reader: FieldReader) {
      let target = reader.string("path")
      WireText.checkTarget(target, reader.context)
      path = target?.value ?? "/"
      port = Self.port(reader)
      let authority = reader.string("host")
      WireText.checkAuthority(authority, reader.context)
      host = authority?.value
      let scheme = reader.string("scheme")
      self.scheme = scheme?.value
      headers = reader.objects("httpHeaders") { field in
        let name = field.string("name")
        if let name { HeaderRules.checkName(name, field.context) }
        let value = field.string("value")
        WireText.checkFieldValue(value, field.context)
        return (name?.value ?? "", value?.value ?? "")
      }
      if let scheme, !["HTTP", "HTTPS"].contains(scheme.value.uppercased()) {
        reader.context.error(
          "scheme: unknown value \"\(scheme.value)\"", at: scheme.location, help: "one of HTTP, HTTPS")
      }
    }

    private static func port(_ reader: FieldReader) -> Located<Int>? {
      if reader.isLenient {
        return reader.text("port").flatMap { text in Int(text.value).map { Located($0, at: text.location) } }
      }
      let port = reader.integer("port")
      HostRules.checkPort(port, reader.context)
      return port
    }
  }

  /// Whose health is asked for over gRPC (`grpc.health.v1.Health`).
  package struct GRPC: Sendable {
    /// nil for the port of the host.
    package var port: Located<Int>?
    /// Empty for the server as a whole.
    package var service: String

    init(_ reader: FieldReader) {
      port = reader.integer("port")
      service = reader.string("service")?.value ?? ""
      HostRules.checkPort(port, reader.context)
    }
  }

  package var location: SourceLocation
  package var httpGet: HTTPGet?
  package var grpc: GRPC?
  package var tcpSocket: Bool
  /// nil for the port of the host.
  package var tcpPort: Located<Int>?
  package var command: [Located<String>]
  package var initialDelaySeconds: Int
  package var periodSeconds: Int
  package var timeoutSeconds: Int
  package var successThreshold: Int
  package var failureThreshold: Int

  /// A probe with nothing but timings.
  init(
    location: SourceLocation, initialDelaySeconds: Int, periodSeconds: Int, timeoutSeconds: Int, successThreshold: Int,
    failureThreshold: Int
  ) {
    self.location = location
    httpGet = nil
    grpc = nil
    tcpSocket = false
    command = []
    self.initialDelaySeconds = initialDelaySeconds
    self.periodSeconds = periodSeconds
    self.timeoutSeconds = timeoutSeconds
    self.successThreshold = successThreshold
    self.failureThreshold = failureThreshold
  }

  init(_ reader: FieldReader) {
    location = reader.location
    httpGet = reader.object("httpGet", HTTPGet.init)
    let socket = reader.object("tcpSocket", Self.tcpPort)
    tcpSocket = socket != nil
    tcpPort = socket ?? nil
    command = reader.object("exec") { $0.strings("command") } ?? []
    grpc = reader.object("grpc", GRPC.init)
    reader.excludes("httpGet", "tcpSocket", "exec", "grpc")
    if let grace = reader.integer("terminationGracePeriodSeconds"), !reader.isLenient {
      reader.context.error(
        "terminationGracePeriodSeconds must not be set for readiness probes", at: grace.location)
    }
    initialDelaySeconds = Self.number(reader, "initialDelaySeconds", default: 0, minimum: 0)
    periodSeconds = Self.number(reader, "periodSeconds", default: 10, minimum: 1)
    timeoutSeconds = Self.number(reader, "timeoutSeconds", default: 1, minimum: 1)
    successThreshold = Self.number(reader, "successThreshold", default: 1, minimum: 1)
    failureThreshold = Self.number(reader, "failureThreshold", default: 3, minimum: 1)
  }

  /// Of a pod it is the kubelet's matter: it may be a container port's name, and be on another host.
  private static func tcpPort(_ socket: FieldReader) -> Located<Int>? {
    if socket.isLenient {
      socket.accept("port", "host")
      return nil
    }
    let port = socket.integer("port")
    HostRules.checkPort(port, socket.context)
    socket.notActedOn("host")
    return port
  }

  /// A count or a time, as Kubernetes checks it.
  ///
  /// - Parameter name: of the timing; also where it is the `value` of a patch.
  static func number(
    _ reader: FieldReader, _ name: String, in field: String? = nil, default value: Int, minimum: Int
  ) -> Int {
    guard let number = reader.integer(field ?? name) else { return value }
    // For pods Kubernetes takes 0 for "not set".
    if reader.isLenient, number.value == 0 { return value }
    guard number.value >= minimum, number.value <= Int(Int32.max) else {
      let wanted = number.value < minimum ? "at least \(minimum)" : "at most \(Int32.max)"
      reader.context.error("\(name) must be \(wanted)", at: number.location)
      return value
    }
    return number.value
  }

  /// What an `exec` probe asks for with curl, in order, and what it does besides. The gateway's own readiness is left
  /// out.
  package var curl: CurlCommand.Reading { CurlCommand.read(command.map(\.value)) }
}
