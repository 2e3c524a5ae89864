import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// What came out of a chunked body: payload, and how it ended.
private struct Decoded: Equatable {
  enum End: Equatable { case open, refused, complete }
  var payload: [UInt8] = []
  var end = End.open
  var rest = 0
}

/// Decodes a body of which at most `step` new bytes arrive at a time.
private func decode(_ input: RawSpan, step: Int) -> Decoded {
  var decoder = ChunkedDecoder()
  var trailers = HeaderBlock(byteCapacity: 256, fieldCapacity: 8)
  var decoded = Decoded()
  var position = 0
  var arrived = 0
  while true {
    let window = input.extracting(position..<arrived)
    switch decoder.next(window, trailers: &trailers) {
    case .needMore(let consumed):
      position += consumed
      guard arrived < input.byteCount else { return decoded }
      arrived = min(arrived + step, input.byteCount)
    case .data(let offset, let count):
      expect(count > 0 && offset + count <= window.byteCount, "data outside of the input")
      for index in offset..<offset + count { decoded.payload.append(window.octets[index]) }
      decoder.took(count)
      position += offset + count
    case .end(let consumed):
      decoded.end = .complete
      decoded.rest = input.byteCount - position - consumed
      return decoded
    case .refused:
      decoded.end = .refused
      return decoded
    }
  }
}

/// The first byte says in how small pieces the rest arrives. However it arrives, the payload and the verdict are the
/// same.
private func check(_ all: RawSpan) {
  guard all.byteCount > 1 else { return }
  let input = all.extracting(last: all.byteCount - 1)
  let step = 1 + Int(all.octets[0])
  let whole = decode(input, step: input.byteCount)
  let pieces = decode(input, step: step)
  expect(whole == pieces, "in steps of \(step): \(pieces), at once \(whole)")
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
