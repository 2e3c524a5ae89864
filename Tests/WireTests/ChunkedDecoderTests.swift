import Testing

@testable import Wire

@Suite struct ChunkedDecoderTests {
  private enum Outcome: Equatable {
    case body(String, trailers: [String], consumed: Int)
    case refused(HTTP1Refusal)
    case incomplete
  }

  /// Feeds the bytes in pieces, keeping what is not consumed, as a connection does.
  private func decode(_ text: String, pieces: [Int]) -> Outcome {
    var decoder = ChunkedDecoder()
    var trailers = HeaderBlock(byteCapacity: 64, fieldCapacity: 4)
    var waiting: [UInt8] = []
    var body: [UInt8] = []
    var consumed = 0
    var rest = Array(text.utf8)[...]
    for size in pieces {
      waiting += rest.prefix(size)
      rest = rest.dropFirst(size)
      loop: while true {
        switch decoder.next(waiting.span.raw, trailers: &trailers) {
        case .needMore(let count):
          waiting.removeFirst(count)
          consumed += count
          break loop
        case .data(let offset, let count):
          body += waiting[offset..<offset + count]
          decoder.took(count)
          waiting.removeFirst(offset + count)
          consumed += offset + count
        case .end(let count):
          let names = (0..<trailers.tableCount).map {
            String(decoding: trailers.copy(of: trailers.field(at: $0).name), as: UTF8.self)
          }
          return .body(String(decoding: body, as: UTF8.self), trailers: names, consumed: consumed + count)
        case .refused(let refusal): return .refused(refusal)
        }
      }
    }
    return .incomplete
  }

  private func whole(_ text: String) -> Outcome { decode(text, pieces: [text.utf8.count]) }

  @Test func `decodes chunks, drops extensions, keeps harmless trailers`() {
    let text = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nHost: evil\r\n\r\n"
    #expect(whole(text) == .body("hello world", trailers: ["X-Sum"], consumed: text.utf8.count))
  }

  @Test func `gives the same at every split`() {
    let text = "5\r\nhello\r\n00A;x\r\n0123456789\r\n0\r\nX: y\r\n\r\n"
    let expected = whole(text)
    #expect(expected == .body("hello0123456789", trailers: ["X"], consumed: text.utf8.count))
    #expect(decode(text, pieces: Array(repeating: 1, count: text.utf8.count)) == expected)
    for split in 1..<text.utf8.count { #expect(decode(text, pieces: [split, text.utf8.count - split]) == expected) }
  }

  @Test(arguments: [
    "+5\r\nhello\r\n", "-5\r\nhello\r\n", "0x5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "\r\nhello",
    "g\r\n",
    "5\nhello\r\n", "5\rhello\r\n", "5_0\r\nhello", "fffffffffffffffff\r\nx", "5\r\nhelloX\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r\r",
  ])
  func `refuses a size that others could read differently`(_ text: String) {
    guard case .refused(let refusal) = whole(text) else {
      Issue.record("not refused: \(whole(text))")
      return
    }
    #expect(refusal == .malformedChunkSize || refusal == .malformedChunkEnd)
  }

  @Test func `bounds extensions and trailers`() {
    #expect(whole("5;\(String(repeating: "x", count: 300))\r\nhello\r\n") == .refused(.chunkExtensionTooLong))
    #expect(whole("0\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n") == .refused(.trailersTooLarge))
    #expect(whole("0\r\nX : y\r\n\r\n") == .refused(.whitespaceBeforeColon))
  }

  @Test func `writes chunk sizes that it can read`() {
    for size in [1, 9, 10, 15, 16, 255, 4096, 65_535, 1 << 20] {
      var output = [UInt8](repeating: 0, count: 32)
      var span = output.mutableSpan
      var bytes = unsafe span.mutableBytes
      let count = HTTP1.writeChunkHeader(size, into: &bytes)
      #expect(String(decoding: output.prefix(count), as: UTF8.self) == "\(String(size, radix: 16))\r\n")
    }
  }
}
