@testable import Wire

/// Runs the parsers and puts what they found into values that can be compared.
enum Parsing {
  struct Request: Equatable {
    var refusal: HTTP1Refusal?
    var consumed = 0
    var method = HTTPMethod.other
    var version = HTTPVersion.http11
    var target = ""
    var path = ""
    var query = ""
    var authority = ""
    var framing = BodyFraming.none
    var isPersistent = true
    var expectsContinue = false
    var wantsUpgrade = false
    /// The head as it would go upstream without edits.
    var written = ""
  }

  static func request(_ text: String, limits: HTTP1Limits = HTTP1Limits()) -> Request {
    pieces([Array(text.utf8).count], of: text, limits: limits)
  }

  static func request(_ text: String, splitAt split: Int) -> Request {
    pieces([split, text.utf8.count], of: text, limits: HTTP1Limits())
  }

  static func requestByteByByte(_ text: String) -> Request {
    pieces(Array(1...text.utf8.count), of: text, limits: HTTP1Limits())
  }

  /// Feeds growing prefixes, as a connection does.
  private static func pieces(_ ends: [Int], of text: String, limits: HTTP1Limits) -> Request {
    let bytes = Array(text.utf8)
    var parser = HTTP1HeadParser()
    var head = RequestHead()
    for end in ends {
      switch parser.parseRequest(bytes.span.raw.extracting(first: end), into: &head, limits: limits) {
      case .needMore: continue
      case .refused(let refusal): return Request(refusal: refusal)
      case .complete(let consumed): return describe(head, consumed)
      }
    }
    return Request()
  }

  private static func describe(_ head: borrowing RequestHead, _ consumed: Int) -> Request {
    var output = [UInt8](repeating: 0, count: head.http1ByteCount)
    let count = write(head, &output)
    return Request(
      refusal: nil, consumed: consumed, method: head.method, version: head.version, target: head.text(head.target),
      path: head.text(head.path), query: head.text(head.query), authority: head.text(head.authority),
      framing: head.framing, isPersistent: head.isPersistent, expectsContinue: head.expectsContinue,
      wantsUpgrade: head.wantsUpgrade, written: String(decoding: output.prefix(count), as: UTF8.self))
  }

  static func write(_ head: borrowing RequestHead, _ output: inout [UInt8]) -> Int {
    var span = output.mutableSpan
    var bytes = unsafe span.mutableBytes
    return head.writeHTTP1(into: &bytes)
  }
}
