import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// Whether a response head in two pieces, cut at `cut`, is taken, and how much of it.
private func read(_ input: RawSpan, cut: Int, to method: HTTPMethod) -> (consumed: Int, refused: Bool) {
  var head = ResponseHead()
  var parser = HTTP1HeadParser()
  for end in [cut, input.byteCount] {
    let progress = parser.parseResponse(
      input.extracting(first: end), requestMethod: method, into: &head, limits: HTTP1Limits())
    switch progress {
    case .needMore: continue
    case .refused: return (-1, true)
    case .complete(let consumed): return (consumed, false)
    }
  }
  return (-1, false)
}

/// The first byte says where the rest is cut in two. However a head arrives, it is read in one way.
private func check(_ all: RawSpan) {
  guard all.byteCount > 1 else { return }
  // Two line ends behind the input: a head that is still open would let one reading wait where the other has refused.
  let message = (1..<all.byteCount).map { all.octets[$0] } + [13, 10, 13, 10]
  let input = message.span.bytes
  let first = Int(all.octets[0])
  for method in [HTTPMethod.get, .head] {
    let whole = read(input, cut: input.byteCount, to: method)
    let pieces = read(input, cut: first * input.byteCount / 255, to: method)
    expect(whole == pieces, "cut by \(first): \(whole) but \(pieces)")
  }
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
