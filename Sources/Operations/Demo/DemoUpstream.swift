import Transport

/// The demo's upstream: the part of httpbin that the article and people's first tries need, over TLS.
final class DemoUpstream {
  private let loop: EventLoop
  private var service: HTTPService?

  /// - Throws: `SystemError` or `TLSConfigurationError`.
  init(loop: EventLoop, certificates directory: String, read: (String) -> [UInt8]?) throws {
    self.loop = loop
    var configuration = TLSServerConfiguration()
    guard let chain = read("\(directory)/upstream/tls.crt"), let key = read("\(directory)/upstream/tls.key") else {
      throw SystemError(call: "read \(directory)/upstream", code: 2)
    }
    configuration.certificates = [(chain, key)]
    let context = try TLSServerContext(configuration)
    let listener = try TLSListenerContext(chains: [0: context]) { _ in 0 }
    let address = SocketAddress(v4: 0x7F00_0001, port: 0)
    service = try HTTPService(loop: loop, address: address, tls: listener) { [unowned self] in answer($0, $1) }
  }

  /// Where it listens.
  var address: SocketAddress { service?.address ?? SocketAddress(v4: 0, port: 0) }

  private func answer(_ request: ServiceRequest, _ reply: @escaping (ServiceReply) -> Void) {
    let parts = request.path.split(separator: "/").map(String.init)
    let number = parts.count > 1 ? Int(parts[1]) : nil
    switch parts.first ?? "" {
    case "status": reply(ServiceReply(status: min(max(number ?? 200, 200), 599), body: []))
    case "headers": reply(.json(.object([("headers", headers(request))])))
    case "get", "anything", "post", "put", "patch", "delete": reply(.json(echo(request)))
    case "bytes", "stream-bytes":
      let count = min(max(number ?? 0, 0), 100 << 20)
      reply(ServiceReply(contentType: "application/octet-stream", body: [UInt8](repeating: 0x61, count: count)))
    case "delay":
      let answer = ServiceReply.json(echo(request))
      _ = Alarm(on: loop, after: Int64(min(max(number ?? 1, 0), 10)) * 1000) { reply(answer) }
    case "": reply(.text("sallyport demo upstream: /status/N /headers /get /anything /delay/N /bytes/N\n"))
    default: reply(.text("not found\n", status: 404))
    }
  }

  private func headers(_ request: ServiceRequest) -> JSON {
    .object(request.headers.map { ($0.name, .string($0.value)) })
  }

  private func echo(_ request: ServiceRequest) -> JSON {
    .object([
      ("args", .object(request.query.map { ($0.name, .string($0.value ?? "")) })),
      ("data", .string(String(decoding: request.body, as: UTF8.self))), ("headers", headers(request)),
      ("method", .string(request.method)), ("url", .string("https://\(request.header("host") ?? "")\(request.path)")),
    ])
  }
}
