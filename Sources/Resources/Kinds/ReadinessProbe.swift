/// A Kubernetes probe: what is asked, how often, and what counts.
package struct ReadinessProbe: Sendable {
  /// What is asked over HTTP.
  package struct HTTPGet: Sendable {
    package var path: String
    package var port: Located<Int>?
    package var host: String?
    package var scheme: String?
    package var headers: [(name: String, value: String)]

    init(_ reader: FieldReader) {
      path = reader.string("path")?.value ?? "/"
      port = reader.integer("port")
      host = reader.string("host")?.value
      scheme = reader.string("scheme")?.value
      headers = reader.objects("httpHeaders") { ($0.string("name")?.value ?? "", $0.string("value")?.value ?? "") }
    }
  }

  package var location: SourceLocation
  package var httpGet: HTTPGet?
  package var tcpSocket: Bool
  package var command: [Located<String>]
  package var initialDelaySeconds: Int
  package var periodSeconds: Int
  package var timeoutSeconds: Int
  package var successThreshold: Int
  package var failureThreshold: Int

  init(_ reader: FieldReader) {
    location = reader.location
    httpGet = reader.object("httpGet", HTTPGet.init)
    tcpSocket =
      reader.object("tcpSocket") { socket -> Bool in
        socket.accept("port", "host")
        return true
      } ?? false
    command = reader.object("exec") { $0.strings("command") } ?? []
    reader.notActedOn("grpc")
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
      reader.context.error("\(name) must be at least \(minimum)", at: number.location)
      return value
    }
    return number.value
  }

  /// The URLs that an `exec` probe fetches with curl, in order; port 15021 is the gateway's own readiness and left out.
  package var curledURLs: [String] {
    let words = command.map(\.value).joined(separator: " ").split { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == ";" }
    guard words.contains(where: { $0 == "curl" || $0.hasSuffix("/curl") }) else { return [] }
    return words.map { String($0).trimmingQuotes }.filter { word in
      (word.hasPrefix("http://") || word.hasPrefix("https://")) && !word.contains(":15021")
    }
  }
}

extension String {
  fileprivate var trimmingQuotes: String {
    var text = Substring(self)
    while let first = text.first, first == "\"" || first == "'" { text = text.dropFirst() }
    while let last = text.last, last == "\"" || last == "'" { text = text.dropLast() }
    return String(text)
  }
}

/// sallyport.dev UpstreamProbe: an active health check that readiness and balancing follow.
package struct UpstreamProbe: Sendable {
  package enum Gate: String, Sendable, CaseIterable {
    case readiness
    case loadBalancing
  }

  package var host: Located<String>?
  package var subset: Located<String>?
  package var port: Located<Int>?
  package var probe: ReadinessProbe?
  package var gates: Set<Gate>
  package var minHealthyPercent: Int

  init(_ reader: FieldReader) {
    host = reader.string("host")
    subset = reader.string("subset")
    port = reader.integer("port")
    probe = reader.object("probe", ReadinessProbe.init)
    minHealthyPercent = 0
    gates = []
    let names = reader.strings("gates")
    for name in names {
      if let gate = Gate(rawValue: name.value) {
        gates.insert(gate)
      } else {
        reader.context.error(
          "gates: unknown value \"\(name.value)\"", at: name.location,
          help: Suggestion.help(for: name.value, among: Gate.allCases.map(\.rawValue))
            ?? "one of readiness, loadBalancing")
      }
    }
    if names.isEmpty { gates = Set(Gate.allCases) }
    if let percent = reader.integer("minHealthyPercent") {
      minHealthyPercent = percent.value
      if !(0...100).contains(percent.value) {
        reader.context.error("percentage \(percent.value) is not in range 0..100", at: percent.location)
      }
    }
    reader.require(host != nil, "host is required")
    reader.require(port != nil, "port is required")
    reader.require(probe != nil, "probe is required")
    HostRules.checkPort(port, reader.context)
    if let probe, probe.httpGet == nil, !probe.tcpSocket {
      reader.context.error("probe must have one of httpGet, tcpSocket", at: probe.location)
    }
  }
}
