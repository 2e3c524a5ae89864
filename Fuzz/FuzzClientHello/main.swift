import CFuzzer
import Glibc
import Wire

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// However a hello arrives, it is read in one way: what a prefix said stays, and `needMore` keeps its promise.
private func check(_ input: RawSpan) {
  let whole = ClientHelloReader.read(input)
  var end = 0
  while end <= input.byteCount {
    switch ClientHelloReader.read(input.extracting(first: end)) {
    case .needMore(let total):
      expect(total > end && total <= ClientHelloReader.maxBytes + 5, "\(total) after \(end)")
      // What is asked for is the least that gets further.
      if total > end + 1, total - 1 <= input.byteCount {
        guard case .needMore = ClientHelloReader.read(input.extracting(first: total - 1)) else {
          fatalError("\(end) bytes asked for \(total), fewer sufficed")
        }
      }
      end = total
    case let reading:
      expect(reading == whole, "\(reading) but \(whole)")
      if case .parsed(let hello) = reading {
        expect(hello.serverName.count <= 255, "server name of \(hello.serverName.count) bytes")
        _ = hello.offersIstioProtocol
      }
      return
    }
  }
  guard case .needMore = whole else { fatalError("\(whole), which no prefix said") }
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  if let data = unsafe data { check(unsafe RawSpan(_unsafeStart: UnsafeRawPointer(data), byteCount: size)) }
  return 0
}
exit(status)
