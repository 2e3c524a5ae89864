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
    tcpSocket =
      reader.object("tcpSocket") { socket -> Bool in
        socket.accept("port", "host")
        return true
      } ?? false
    command = reader.object("exec") { $0.strings("command") } ?? []
    grpc = reader.object("grpc", GRPC.init)
    reader.excludes("httpGet", "tcpSocket", "exec", "grpc")
    reader.accept("terminationGracePeriodSeconds")
    initialDelaySeconds = Self.number(reader, "initialDelaySeconds", default: 0, minimum: 0)
    periodSeconds = Self.number(reader, "periodSeconds", default: 10, minimum: 1)
    timeoutSeconds = Self.number(reader, "timeoutSeconds", default: 1, minimum: 1)
    successThreshold = Self.number(reader, "successThreshold", default: 1, minimum: 1)
    failureThreshold = Self.number(reader, "failureThreshold", default: 3, minimum: 1)
  }

  private static func number(_ reader: FieldReader, _ name: String, default value: Int, minimum: Int) -> Int {
    guard let number = reader.integer(name) else { return value }
    if number.value < minimum {
      // Kubernetes takes 0 for "not set" here.
      if reader.isLenient { return value }
      reader.context.error("\(name) must be at least \(minimum)", at: number.location)
      return value
    }
    return number.value
  }

  /// The URLs that an `exec` probe fetches with curl, in order; port 15021 is the gateway's own readiness and left out.
  package var curledURLs: [String] {
    CurlCommand.urls(of: command.map(\.value)).filter { !$0.contains(":15021") }
  }
}
