import Testing

@testable import Wire

@Suite struct ForwardingTests {
  private func forwarded(_ request: String, isPrivate: Bool = false, timeout: Int = 0) -> String {
    let bytes = Array(request.utf8)
    var parser = HTTP1HeadParser()
    var head = RequestHead()
    guard case .complete = parser.parseRequest(bytes.span.raw, into: &head, limits: HTTP1Limits()) else {
      return "refused"
    }
    let peer = Array("203.0.113.7".utf8)
    let id = Array("fresh-id".utf8)
    head.prepareForUpstream(
      ForwardingRules(isTLS: true, isPrivate: isPrivate, expectedTimeoutMilliseconds: timeout), peer: peer.span.raw,
      requestID: id.span.raw)
    var output = [UInt8](repeating: 0, count: head.http1ByteCount)
    let count = Parsing.write(head, &output)
    return String(decoding: output.prefix(count), as: UTF8.self)
  }

  @Test func `removes hop-by-hop fields and those that Connection names`() {
    let result = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-Stays: 1\r\n\r\n"
    )
    for gone in ["Connection", "X-Secret", "Keep-Alive", "TE:", "Proxy-Connection", "Upgrade"] {
      #expect(!result.contains(gone))
    }
    #expect(result.contains("X-Stays: 1\r\n"))
  }

  @Test func `never lets Connection remove framing, Host or forwarding fields`() {
    let result = forwarded(
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host, x-forwarded-for\r\nContent-Length: 3\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n"
    )
    #expect(result.contains("Content-Length: 3\r\n") && result.contains("Host: a\r\n"))
    #expect(result.contains("X-Forwarded-For: 1.1.1.1,203.0.113.7\r\n"))
  }

  @Test func `does not believe an external client's request id and envoy fields`() {
    let result = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nX-Envoy-Max-Retries: 9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Client-Cert: By=x\r\n\r\n"
    )
    #expect(!result.contains("mine") && !result.contains("Max-Retries") && !result.contains("By=x"))
    #expect(result.contains("x-request-id: fresh-id\r\n") && result.contains("x-forwarded-proto: https\r\n"))
    #expect(result.contains("x-envoy-external-address: 203.0.113.7\r\n"))
  }

  @Test(arguments: [true, false])
  func `lines that are copied whole have their names and values where the table says`(isTLS: Bool) {
    var head = RequestHead()
    head.prepareForUpstream(
      ForwardingRules(isTLS: isTLS, isPrivate: false, expectedTimeoutMilliseconds: 0), peer: [UInt8]().span.raw,
      requestID: Array("id".utf8).span.raw)
    let values: [HeaderName: String] = [
      .xForwardedProto: isTLS ? "https" : "http", .xRequestID: "id", .xEnvoyAttemptCount: "1",
    ]
    #expect(head.headers.count == values.count)
    for index in 0..<head.headers.tableCount {
      let field = head.headers.field(at: index)
      #expect(head.text(field.name) == "\(field.token.text)" && head.text(field.value) == values[field.token])
    }
  }

  @Test(arguments: [("", false), ("X-Forwarded-For: 1.1.1.1\r\n", true)])
  func `believes no field of Envoy's from those that are not internal`(forwarded: String, isPrivate: Bool) {
    let names = [
      "X-Envoy-Internal", "x-envoy-original-path", "x-envoy-decorator-operation", "x-envoy-expected-rq-timeout-ms",
      "x-envoy-downstream-service-cluster", "x-envoy-external-address", "x-envoy-peer-metadata",
      "x-envoy-original-host",
      "x-envoy-ip-tags", "x-envoy-force-trace", "X-Envoy-Upstream-Alt-Stat-Name", "x-envoy-of-next-year",
    ]
    let fields = names.map { "\($0): forged\r\n" }.joined()
    let result = self.forwarded("GET / HTTP/1.1\r\nHost: a\r\n\(forwarded)\(fields)\r\n", isPrivate: isPrivate)
    #expect(!result.contains("forged") && result.contains("x-envoy-external-address: 203.0.113.7\r\n"))
  }

  @Test func `leaves an internal client's fields of Envoy's as they are`() {
    let result = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nx-envoy-internal: true\r\nx-envoy-x: 1\r\n\r\n", isPrivate: true)
    #expect(result.contains("x-envoy-internal: true\r\n") && result.contains("x-envoy-x: 1\r\n"))
  }

  @Test func `keeps the request id that an internal client brings`() {
    let result = forwarded("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: chain\r\n\r\n", isPrivate: true)
    #expect(result.contains("X-Request-Id: chain\r\n") && !result.contains("fresh-id"))
    #expect(!result.contains("x-envoy-external-address"))
  }

  @Test(arguments: [("", true, true), ("X-Forwarded-For: 1.1.1.1\r\n", true, false), ("", false, false)])
  func `believes what internal clients ask of the router`(forwarded: String, isPrivate: Bool, isBelieved: Bool) {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\(forwarded)X-Envoy-Retry-On: 5xx\r\nX-Envoy-Max-Retries: 2\r\n\r\n"
    #expect(self.forwarded(request, isPrivate: isPrivate).contains("X-Envoy-Retry-On: 5xx\r\n") == isBelieved)
    #expect(self.forwarded(request, isPrivate: isPrivate).contains("X-Envoy-Max-Retries: 2\r\n") == isBelieved)
  }

  @Test func `says the route's timeout`() {
    #expect(
      forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", timeout: 1500).contains("x-envoy-expected-rq-timeout-ms: 1500\r\n")
    )
  }

  @Test func `forwards a chunked body as chunked`() {
    let result = forwarded("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(result.contains("transfer-encoding: chunked\r\n") && !result.contains("Transfer-Encoding"))
  }

  @Test func `says each of its own fields once, whatever an internal client said`() {
    let result = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\nx-forwarded-proto: gopher\r\nX-Envoy-Attempt-Count: 7\r\nX-Envoy-Expected-Rq-Timeout-Ms: 9\r\nX-Envoy-Max-Retries: 2\r\n\r\n",
      isPrivate: true, timeout: 1500)
    for gone in ["http\r\n", "gopher", "Attempt-Count", "Expected-Rq"] { #expect(!result.contains(gone)) }
    #expect(result.contains("x-forwarded-proto: https\r\n") && result.contains("x-envoy-attempt-count: 1\r\n"))
    #expect(result.contains("x-envoy-expected-rq-timeout-ms: 1500\r\n"))
    #expect(result.contains("X-Envoy-Max-Retries: 2\r\n"))
  }

  @Test func `keeps an internal client's timeout where the route has none`() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nX-Envoy-Expected-Rq-Timeout-Ms: 9\r\n\r\n"
    #expect(forwarded(request, isPrivate: true).contains("X-Envoy-Expected-Rq-Timeout-Ms: 9\r\n"))
    #expect(!forwarded(request).contains("Expected-Rq"))
  }

  @Test(arguments: [(204, false), (200, true), (304, true)])
  func `passes a length on only where a body may have one`(_ status: Int, _ passes: Bool) {
    let bytes = Array("HTTP/1.1 \(status) X\r\nContent-Length: 5\r\n\r\n".utf8)
    var parser = HTTP1HeadParser()
    var head = ResponseHead()
    let progress = parser.parseResponse(bytes.span.raw, requestMethod: .get, into: &head, limits: HTTP1Limits())
    guard case .complete = progress else {
      Issue.record("\(progress)")
      return
    }
    head.prepareForDownstream(
      date: Array("today".utf8).span.raw, server: "istio-envoy", serviceMilliseconds: 1)
    #expect(head.headers.contains(.contentLength) == passes)
  }

  @Test func `passes an interim response on without framing and connection fields`() {
    let text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    let bytes = Array(text.utf8)
    var parser = HTTP1HeadParser()
    var head = ResponseHead()
    _ = parser.parseResponse(bytes.span.raw, requestMethod: .get, into: &head, limits: HTTP1Limits())
    head.prepareInterim()
    var output = [UInt8](repeating: 0, count: head.http1ByteCount)
    var span = output.mutableSpan
    var target = unsafe span.mutableBytes
    let count = head.writeHTTP1(into: &target, framing: .none, connection: .absent)
    #expect(
      String(decoding: output.prefix(count), as: UTF8.self) == "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
  }
}
