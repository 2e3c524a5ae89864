import Transport
import Wire

/// The downstream side of a stream. An enum with trivial payloads: a switch instead of an existential, and no counting.
enum DownstreamLink {
  case none
  case http1(Ref<HTTP1DownstreamConnection>)
  case http2(Ref<HTTP2DownstreamExchange>)

  /// Sends `stream.response` as an interim response.
  func sendInformational(_ stream: Stream) {
    switch self {
    case .http1(let connection): connection.with { $0.sendInformational(stream) }
    case .http2(let exchange): exchange.with { $0.sendInformational(stream) }
    case .none: break
    }
  }

  /// Sends the final response head.
  func sendResponseHead(_ stream: Stream) {
    switch self {
    case .http1(let connection): connection.with { $0.sendResponseHead(stream) }
    case .http2(let exchange): exchange.with { $0.sendResponseHead(stream) }
    case .none: break
    }
  }

  /// Sends response bytes; returns how many were taken.
  func sendResponseBody(_ span: RawSpan) -> Int {
    switch self {
    case .http1(let connection): connection.with { $0.sendResponseBody(span) }
    case .http2(let exchange): exchange.with { $0.sendResponseBody(span) }
    case .none: span.byteCount
    }
  }

  /// The upstream of a tunnel sends no more; the tunnel goes on.
  func endTunnelOutput() {
    switch self {
    case .http1(let connection): connection.with { $0.endTunnelOutput() }
    case .http2(let exchange): exchange.with { $0.endTunnelOutput() }
    case .none: break
    }
  }

  /// The response is complete.
  func endResponse(_ stream: Stream) {
    switch self {
    case .http1(let connection): connection.with { $0.endResponse(stream) }
    case .http2(let exchange): exchange.with { $0.endResponse(stream) }
    case .none: break
    }
  }

  /// The response cannot be completed, and the client must see that.
  func abortResponse() {
    switch self {
    case .http1(let connection): connection.with { $0.abortResponse() }
    case .http2(let exchange): exchange.with { $0.abortResponse() }
    case .none: break
    }
  }

  /// The upstream can take more of the request body.
  func resumeRequestBody() {
    switch self {
    case .http1(let connection): connection.with { $0.resumeRequestBody() }
    case .http2(let exchange): exchange.with { $0.resumeRequestBody() }
    case .none: break
    }
  }

  /// What `x-forwarded-client-cert` says of the client.
  func withClientCertificate(_ body: (RawSpan) -> Void) {
    switch self {
    case .http1(let connection): connection.with { $0.withClientCertificate(body) }
    case .http2(let exchange): exchange.with { $0.connection.with { $0.withClientCertificate(body) } }
    case .none: break
    }
  }

  /// The client's TLS session; nil on a plaintext connection.
  func withSession(_ body: (TLSSession?) -> Void) {
    switch self {
    case .http1(let connection): connection.with { body($0.tls) }
    case .http2(let exchange): exchange.with { $0.connection.with { body($0.tls) } }
    case .none: body(nil)
    }
  }
}

/// The upstream side of a stream.
enum UpstreamLink {
  case none
  case http1(Ref<HTTP1UpstreamConnection>)
  case http2(Ref<HTTP2UpstreamExchange>)

  /// Sends the request head. The connection is ready.
  func sendRequestHead(_ stream: Stream) {
    switch self {
    case .http1(let connection): connection.with { $0.sendRequestHead(stream) }
    case .http2(let exchange): exchange.with { $0.sendRequestHead(stream) }
    case .none: break
    }
  }

  /// Sends request bytes; returns how many were taken.
  func sendRequestBody(_ span: RawSpan) -> Int {
    switch self {
    case .http1(let connection): connection.with { $0.sendRequestBody(span) }
    case .http2(let exchange): exchange.with { $0.sendRequestBody(span) }
    case .none: 0
    }
  }

  /// The request is complete.
  func endRequest(_ stream: Stream) {
    switch self {
    case .http1(let connection): connection.with { $0.endRequest(stream) }
    case .http2(let exchange): exchange.with { $0.endRequest(stream) }
    case .none: break
    }
  }

  /// The downstream can take more of the response.
  func resumeResponseBody() {
    switch self {
    case .http1(let connection): connection.with { $0.resumeResponseBody() }
    case .http2(let exchange): exchange.with { $0.resumeResponseBody() }
    case .none: break
    }
  }

  /// Nobody wants the answer any more.
  func cancel() {
    switch self {
    case .http1(let connection): connection.with { $0.cancel() }
    case .http2(let exchange): exchange.with { $0.cancel() }
    case .none: break
    }
  }

  /// Our side of the connection to the upstream.
  var localAddress: SocketAddress? {
    switch self {
    case .http1(let connection): connection.with { $0.localAddress }
    case .http2(let exchange): exchange.with { $0.connection.with { $0.localAddress } }
    case .none: nil
    }
  }
}
