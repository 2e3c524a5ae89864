import Testing

@testable import Wire

/// Requests that two parsers could read differently: each is refused for its own reason.
@Suite struct RequestRefusalTests {
  /// A request and why it is refused.
  struct Case: CustomTestStringConvertible, Sendable {
    let request: String
    let refusal: HTTP1Refusal
    var testDescription: String { "\(refusal): \(request.prefix(60).debugDescription)" }
  }

  static let cases: [Case] = [
    // Start line
    .init(request: "GET / \r\nHost: a\r\n\r\n", refusal: .malformedVersion),
    .init(request: "GET /\r\nHost: a\r\n\r\n", refusal: .malformedRequestLine),
    .init(request: "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedRequestLine),
    .init(request: "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedVersion),
    .init(request: "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedMethod),
    .init(request: "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedMethod),
    .init(request: " GET / HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedMethod),
    .init(request: "GET / HTTP/2.0\r\nHost: a\r\n\r\n", refusal: .unsupportedVersion),
    .init(request: "GET / HTTP/3.0\r\nHost: a\r\n\r\n", refusal: .unsupportedVersion),
    .init(request: "GET / HTTP/1.2\r\nHost: a\r\n\r\n", refusal: .unsupportedVersion),
    .init(request: "GET / HTTP/11\r\nHost: a\r\n\r\n", refusal: .malformedVersion),
    .init(request: "GET / http/1.1\r\nHost: a\r\n\r\n", refusal: .malformedVersion),
    .init(request: "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", refusal: .malformedRequestLine),
    .init(request: "GET / HTTP/1.1\nHost: a\r\n\r\n", refusal: .bareLineFeed),
    .init(request: "GET / HTTP/1.1\rHost: a\r\n\r\n", refusal: .bareCarriageReturn),
    .init(request: "GET a HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedTarget),
    .init(request: "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedTarget),
    .init(request: "GET /a\u{0}b HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedTarget),
    .init(request: "GET /a\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedTarget),
    .init(request: "GET * HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedTarget),
    .init(request: "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedConnectTarget),
    .init(request: "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedConnectTarget),
    .init(request: "CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedConnectTarget),
    .init(request: "CONNECT http://a:1 HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedConnectTarget),
    .init(request: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", refusal: .connectWithBody),
    .init(
      request: "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", refusal: .connectWithBody),
    .init(request: "CONNECT a:1 HTTP/1.1\r\n\r\n", refusal: .missingHost),
    // Field lines
    .init(request: "GET / HTTP/1.1\r\nHost : a\r\n\r\n", refusal: .whitespaceBeforeColon),
    .init(request: "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", refusal: .whitespaceBeforeColon),
    .init(request: "GET / HTTP/1.1\r\n Host: a\r\n\r\n", refusal: .obsoleteLineFolding),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", refusal: .obsoleteLineFolding),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", refusal: .obsoleteLineFolding),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nXb\r\n\r\n", refusal: .missingColon),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", refusal: .malformedFieldName),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n", refusal: .malformedFieldName),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX\u{0}: b\r\n\r\n", refusal: .malformedFieldName),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{0}c\r\n\r\n", refusal: .invalidFieldValue),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{1}c\r\n\r\n", refusal: .invalidFieldValue),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{7F}\r\n\r\n", refusal: .invalidFieldValue),
    .init(request: "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", refusal: .bareLineFeed),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\n\n", refusal: .bareLineFeed),
    .init(request: "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", refusal: .bareCarriageReturn),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n", refusal: .bareCarriageReturn),
    // Framing
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      refusal: .contentLengthWithTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
      refusal: .contentLengthWithTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
      refusal: .differingContentLengths),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n", refusal: .malformedContentLength),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", refusal: .malformedContentLength),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", refusal: .malformedContentLength),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", refusal: .malformedContentLength),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", refusal: .malformedContentLength),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", refusal: .malformedContentLength),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n",
      refusal: .malformedContentLength),
    .init(
      request: "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", refusal: .transferEncodingInHTTP10),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", refusal: .unknownTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      refusal: .unknownTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
      refusal: .unknownTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", refusal: .unknownTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      refusal: .malformedTransferEncoding),
    .init(
      request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{B}chunked\r\n\r\n", refusal: .invalidFieldValue),
    .init(request: "POST / HTTP/1.1\r\nHost: a\r\nExpect: something\r\n\r\n", refusal: .unsupportedExpectation),
    // Host
    .init(request: "GET / HTTP/1.1\r\n\r\n", refusal: .missingHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", refusal: .repeatedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", refusal: .repeatedHost),
    .init(request: "GET / HTTP/1.1\r\nHost:\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", refusal: .malformedHost),
    .init(request: "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", refusal: .malformedHost),
  ]

  @Test(arguments: cases)
  func `is refused for its own reason`(_ example: Case) {
    #expect(Parsing.request(example.request).refusal == example.refusal)
  }

  @Test(arguments: cases)
  func `is refused however the bytes arrive`(_ example: Case) {
    #expect(Parsing.requestByteByByte(example.request).refusal == example.refusal)
  }

  @Test func `bounds the members of Connection over all its fields`() {
    let half = String(repeating: "a,", count: 32)
    let most = "GET / HTTP/1.1\r\nHost: a\r\nConnection: \(half)\r\nConnection: \(half)\r\n"
    #expect(Parsing.request(most + "\r\n").refusal == nil)
    #expect(Parsing.request(most + "Connection: b\r\n\r\n").refusal == .tooManyConnectionOptions)
    #expect(HTTP1Refusal.tooManyConnectionOptions.status == 400)
  }

  @Test func `says 431 for too many or too large fields and 414 for a long request line`() {
    var limits = HTTP1Limits()
    limits.maxHeaderCount = 3
    limits.maxHeaderBytes = 200
    limits.maxRequestLineBytes = 50
    let many = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n"
    #expect(Parsing.request(many, limits: limits).refusal == .tooManyHeaders)
    let large = "GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "x", count: 300))\r\n\r\n"
    #expect(Parsing.request(large, limits: limits).refusal == .headersTooLarge)
    let long = "GET /\(String(repeating: "x", count: 60)) HTTP/1.1\r\nHost: a\r\n\r\n"
    #expect(Parsing.request(long, limits: limits).refusal == .requestLineTooLong)
    #expect(HTTP1Refusal.tooManyHeaders.status == 431)
    #expect(HTTP1Refusal.headersTooLarge.status == 431)
    #expect(HTTP1Refusal.requestLineTooLong.status == 414)
  }
}

/// Requests that are good.
@Suite struct RequestHeadTests {
  static let requests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /x?y=1#z HTTP/1.1\r\nHost: example.com:8080\r\nX-Empty:\r\nAccept:  */* \r\n\r\n",
    "POST http://example.com/a?b HTTP/1.1\r\nHost: other\r\nContent-Length: 12\r\n\r\n",
    "PUT /u HTTP/1.1\r\nHost: [::1]:443\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  ]

  @Test(arguments: requests)
  func `gives the same head at every split of the bytes`(_ request: String) {
    let whole = Parsing.request(request)
    #expect(whole.refusal == nil && whole.consumed == request.utf8.count)
    #expect(Parsing.requestByteByByte(request) == whole)
    for split in 1..<request.utf8.count { #expect(Parsing.request(request, splitAt: split) == whole) }
  }

  @Test func `leaves what follows the head alone`() {
    #expect(Parsing.request("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2").consumed == 27)
  }

  @Test func `splits target, path and query and cuts the fragment`() {
    let head = Parsing.request("GET /a/b?c=d&e#f HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(head.path == "/a/b" && head.query == "c=d&e" && head.target == "/a/b?c=d&e")
  }

  @Test func `takes the authority of an absolute target before Host and rewrites Host`() {
    let head = Parsing.request("GET http://real.example:81?q HTTP/1.1\r\nHost: other\r\n\r\n")
    #expect(head.authority == "real.example:81" && head.path == "/" && head.query == "q")
    #expect(head.written.contains("Host: real.example:81\r\n") && !head.written.contains("other"))
  }

  @Test func `the target of CONNECT is the authority, whatever Host says`() {
    let head = Parsing.request("CONNECT b:1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    #expect(head.authority == "b:1" && head.path.isEmpty && head.written.contains("Host: b:1\r\n"))
    #expect(head.wantsUpgrade && !head.isPersistent && !head.written.contains("x\r\n\r\n"))
  }

  @Test func `knows when a connection stays open`() {
    #expect(Parsing.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").isPersistent)
    #expect(!Parsing.request("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").isPersistent)
    #expect(!Parsing.request("GET / HTTP/1.0\r\nHost: a\r\n\r\n").isPersistent)
    #expect(Parsing.request("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n").isPersistent)
  }

  @Test func `does not take a name with underscores for its dashed twin`() {
    let head = Parsing.request("GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n")
    #expect(head.refusal == nil && head.framing == BodyFraming.none)
  }

  @Test func `knows every name that it resolves`() {
    for name in HeaderName.allCases where name != .other {
      let upper = Array(name.text.description.uppercased().utf8)
      #expect(HeaderName.resolve(upper.span.raw) == name)
    }
  }
}
