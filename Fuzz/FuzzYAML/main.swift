import CFuzzer
import Glibc
import Resources

/// A property that must hold in every build; `precondition` says nothing in a release build.
private func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
  if !holds { fatalError(message()) }
}

/// Whatever a file holds: what there is to say has its place in it, and what is formatted can be read.
private func check(_ bytes: [UInt8]) {
  let lines = bytes.count { $0 == 0x0A || $0 == 0x0D || $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 } + 2
  var result = LoadResult()
  ResourceLoader.load(text: bytes, file: "f", into: &result)
  for diagnostic in result.diagnostics {
    guard let location = diagnostic.location else { continue }
    expect((1...lines).contains(location.line) && location.column >= 1, "\(location) is outside of the file")
  }
  let formatted = ResourceFormatter.format(bytes, file: "f")
  guard formatted.error == nil else { return }
  let again = ResourceFormatter.format(formatted.text, file: "f")
  expect(again.error == nil, "formatted, it is no YAML")
}

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, size in
  // libFuzzer lends `size` readable bytes for the length of this call.
  check(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
exit(status)
