import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// What is read is read in one way, and what was read and written is read as the same.
private func check(_ input: RawSpan) {
  let whole = ProxyProtocolReader.read(input)
  for end in 0...min(input.byteCount, ProxyProtocolReader.maxBytes) {
    switch ProxyProtocolReader.read(input.extracting(first: end)) {
    case .needMore(let total): expect(total > end, "\(total) after \(end)")
    case let reading:
      expect(reading == whole, "\(reading) but \(whole)")
      if case .parsed(let header, let consumed) = reading {
        expect(consumed <= end, "\(consumed) of \(end)")
        checkWriting(header)
      }
      return
    }
  }
}

private func checkWriting(_ header: ProxyProtocolHeader) {
  var output = [UInt8](repeating: 0, count: ProxyProtocolWriter.maxBytes)
  let count = write(header, &output)
  let again = ProxyProtocolReader.read(output.span.raw.extracting(first: count))
  expect(again == .parsed(header, consumed: count), "\(header) was written as \(again)")
}

private func write(_ header: ProxyProtocolHeader, _ output: inout [UInt8]) -> Int {
  var span = output.mutableSpan
  var bytes = unsafe span.mutableBytes
  return ProxyProtocolWriter.write(header, into: &bytes)
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
