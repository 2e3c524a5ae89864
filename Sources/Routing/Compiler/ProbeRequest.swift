/// What a probe asks over HTTP.
struct ProbeRequest {
  var method = "GET"
  let path: String
  let authority: String
  let fields: [(name: String, value: String)]

  private static let agent = "sallyport-probe"

  /// The request for a cluster that speaks HTTP/2, or HTTP/1.1.
  func kind(inHTTP2: Bool) -> Probe.Kind {
    inHTTP2 ? .http2Get(http2) : .httpGet(request: http1)
  }

  /// Fields that the request has by itself are those of `fields` where these say them.
  private var added: [(name: String, value: String)] {
    let own = [(name: "user-agent", value: Self.agent), (name: "accept", value: "*/*")]
    return own.filter { field in !fields.contains { $0.name.lowercased() == field.name } }
  }

  private var http1: [UInt8] {
    var text = "\(method) \(path) HTTP/1.1\r\nhost: \(authority)\r\n"
    for field in added { text += "\(field.name): \(field.value)\r\n" }
    text += "connection: close\r\n"
    if ["POST", "PUT", "PATCH"].contains(method) { text += "content-length: 0\r\n" }
    let forbidden = ["", "host", "connection", "content-length", "transfer-encoding"]
    for field in fields where !forbidden.contains(field.name.lowercased()) {
      text += "\(field.name): \(field.value)\r\n"
    }
    return Array((text + "\r\n").utf8)
  }

  private var http2: Probe.HTTP2Request {
    // What HTTP/2 forbids or says otherwise is left out (RFC 9113, section 8.2.2).
    let forbidden = [
      "", "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te",
      "content-length",
    ]
    let all = (added + fields).map { Probe.HTTP2Request.Field(name: $0.name.lowercased(), value: $0.value) }
    return Probe.HTTP2Request(
      method: method, path: path, authority: authority, fields: all.filter { !forbidden.contains($0.name) })
  }
}
