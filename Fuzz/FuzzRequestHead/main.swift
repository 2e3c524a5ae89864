import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// What a parser said of an input: enough to tell two readings apart.
private struct Reading: Equatable {
  var consumed = -1
  var isRefused = false
  var fields = 0
  var framing = BodyFraming.none
}

/// Reads a head that arrives in two pieces, cut at `cut`.
private func read(_ input: RawSpan, cut: Int) -> Reading {
  var head = RequestHead()
  var parser = HTTP1HeadParser()
  var reading = Reading()
  for end in [cut, input.byteCount] {
    switch parser.parseRequest(input.extracting(first: end), into: &head, limits: HTTP1Limits()) {
    case .needMore: continue
    case .refused: reading.isRefused = true
    case .complete(let consumed):
      reading.consumed = consumed
      reading.fields = head.headers.count
      reading.framing = head.framing
    }
    break
  }
  return reading
}

/// The first byte says where the rest is cut in two. However a head arrives, it is read in one way; and what we
/// forward of it is read again as the same message.
private func check(_ all: RawSpan) {
  guard all.byteCount > 1 else { return }
  // Two line ends behind the input: a head that is still open would let one reading wait where the other has refused.
  let message = (1..<all.byteCount).map { all.octets[$0] } + [13, 10, 13, 10]
  let input = message.span.bytes
  let cut = Int(all.octets[0]) * input.byteCount / 255
  let whole = read(input, cut: input.byteCount)
  let pieces = read(input, cut: cut)
  expect(whole == pieces, "split at \(cut): \(whole) but \(pieces)")

  guard whole.consumed >= 0 else { return }
  var head = RequestHead()
  var parser = HTTP1HeadParser()
  _ = parser.parseRequest(input, into: &head, limits: HTTP1Limits())
  // HTTP/1.0 knows requests without a host; they have no route and are never forwarded.
  guard !head.authority.isEmpty else { return }
  let rules = ForwardingRules(isTLS: true, isInternal: false, expectedTimeoutMilliseconds: 15_000)
  head.prepareForUpstream(
    rules, peer: [UInt8]("127.0.0.1".utf8).span.bytes, requestID: [UInt8]("an-id".utf8).span.bytes)
  var written = [UInt8](repeating: 0, count: head.http1ByteCount)
  var span = written.mutableSpan
  var output = span.mutableBytes
  let count = head.writeHTTP1(into: &output)
  var again = RequestHead()
  parser.reset()
  let ours = written.span.bytes.extracting(first: count)
  // What we add does not count against the client.
  var wide = HTTP1Limits()
  wide.maxHeaderCount += 16
  wide.maxHeaderBytes += 4096
  let progress = parser.parseRequest(ours, into: &again, limits: wide)
  guard case .complete(let consumed) = progress else { fatalError("our own head is not read: \(progress)") }
  expect(consumed == count, "our own head is read in part: \(consumed) of \(count)")
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
