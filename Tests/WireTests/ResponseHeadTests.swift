import Testing

@testable import Wire

@Suite struct ResponseHeadTests {
  private func parse(_ text: String, method: HTTPMethod = .get) -> (
    status: Int, framing: BodyFraming, persistent: Bool, refusal: HTTP1Refusal?
  ) {
    let bytes = Array(text.utf8)
    var parser = HTTP1HeadParser()
    var head = ResponseHead()
    switch parser.parseResponse(bytes.span.raw, requestMethod: method, into: &head, limits: HTTP1Limits()) {
    case .needMore: return (0, .none, false, nil)
    case .refused(let refusal): return (0, .none, false, refusal)
    case .complete: return (head.status, head.framing, head.isPersistent, nil)
    }
  }

  @Test func `knows how the body ends`() {
    #expect(parse("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n").framing == .length(7))
    #expect(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").framing == .chunked)
    #expect(parse("HTTP/1.1 200 OK\r\n\r\n").framing == .untilClose)
    #expect(!parse("HTTP/1.1 200 OK\r\n\r\n").persistent)
    #expect(parse("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", method: .head).framing == .none)
    for status in [100, 103, 204, 304] {
      #expect(parse("HTTP/1.1 \(status) X\r\nContent-Length: 7\r\n\r\n").framing == .none)
    }
  }

  @Test(arguments: [
    "HTTP/1.1 20 OK\r\n\r\nxxxx", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\nxx", "HTTP/1.1  200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\nxxxxx", "HTTP/1.1 200 O\u{0}K\r\n\r\n", "HTTP/1.1 200 OK\nX: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\u{1}\r\n\r\n",
    "HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
  ])
  func `refuses what is not a response`(_ text: String) {
    #expect(parse(text).refusal != nil)
  }

  @Test func `writes dates`() {
    var output = [UInt8](repeating: 0, count: 32)
    var span = output.mutableSpan
    var bytes = unsafe span.mutableBytes
    let count = Timestamp.writeDate(epochSeconds: 784_111_777, into: &bytes)
    #expect(String(decoding: output.prefix(count), as: UTF8.self) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test func `writes dates of leap years and ends of years`() {
    for (seconds, text) in [
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
      var output = [UInt8](repeating: 0, count: 32)
      var span = output.mutableSpan
      var bytes = unsafe span.mutableBytes
      let count = Timestamp.writeDate(epochSeconds: Int64(seconds), into: &bytes)
      #expect(String(decoding: output.prefix(count), as: UTF8.self) == text)
    }
  }
}
