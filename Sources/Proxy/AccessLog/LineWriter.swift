import Transport
import Wire

/// Writes the values of a log line: `-` for what is missing in text, quoted and escaped or null in JSON.
struct LineWriter {
  let isJSON: Bool
  var writer = ByteWriter()

  init(isJSON: Bool) {
    self.isJSON = isJSON
  }

  /// Bytes as they are.
  mutating func raw(_ text: StaticString, into output: inout MutableRawSpan) {
    writer.write(text, into: &output)
  }

  /// A value that is not there.
  mutating func missing(into output: inout MutableRawSpan) {
    writer.write(isJSON ? "null" : "-", into: &output)
  }

  mutating func number(_ value: Int, into output: inout MutableRawSpan) {
    writer.write(decimal: value, into: &output)
  }

  mutating func optionalNumber(_ value: Int?, into output: inout MutableRawSpan) {
    if let value { number(value, into: &output) } else { missing(into: &output) }
  }

  mutating func constant(_ text: StaticString, into output: inout MutableRawSpan) {
    guard text.utf8CodeUnitCount > 0 else { return missing(into: &output) }
    if isJSON { writer.write("\"", into: &output) }
    writer.write(text, into: &output)
    if isJSON { writer.write("\"", into: &output) }
  }

  mutating func text(_ text: String?, into output: inout MutableRawSpan) {
    guard let text, !text.isEmpty else { return missing(into: &output) }
    bytes(Array(text.utf8), into: &output)
  }

  mutating func bytes(_ bytes: [UInt8], into output: inout MutableRawSpan) {
    span(bytes.span.raw, into: &output)
  }

  mutating func field(_ name: HeaderName, of head: borrowing RequestHead, into output: inout MutableRawSpan) {
    range(head.headers.value(of: name), of: head, into: &output)
  }

  mutating func range(_ range: ByteRange, of head: borrowing RequestHead, into output: inout MutableRawSpan) {
    span(head.bytes(range), into: &output)
  }

  mutating func span(_ span: RawSpan, into output: inout MutableRawSpan) {
    guard !span.isEmpty else { return missing(into: &output) }
    guard isJSON else { return writer.write(span, into: &output) }
    writer.write("\"", into: &output)
    let octets = span.octets
    for index in 0..<octets.count { escaped(octets[index], into: &output) }
    writer.write("\"", into: &output)
  }

  private mutating func escaped(_ byte: UInt8, into output: inout MutableRawSpan) {
    switch byte {
    case 0x22: writer.write("\\\"", into: &output)
    case 0x5C: writer.write("\\\\", into: &output)
    // Bytes above ASCII need not be UTF-8: shown as the Latin-1 character of the same number.
    case 0x20..<0x7F: writer.write(byte, into: &output)
    default:
      writer.write("\\u00", into: &output)
      if byte < 16 { writer.write("0", into: &output) }
      writer.write(hexadecimal: Int(byte), into: &output)
    }
  }

  /// How much longer than an IP address the text of `address` may become.
  static func extraBytes(_ address: SocketAddress?, json: Bool) -> Int {
    address?.family == .unix ? SocketAddress.maxTextBytes * (json ? 6 : 1) : 0
  }

  mutating func address(_ address: SocketAddress?, into output: inout MutableRawSpan) {
    guard let address else { return missing(into: &output) }
    var text = ByteText()
    text.set { address.write(into: &$0) }
    // A path may have what JSON escapes; a nameless socket is written like what is missing.
    if address.family == .unix { return span(text.bytes, into: &output) }
    if isJSON { writer.write("\"", into: &output) }
    writer.write(text.bytes, into: &output)
    if isJSON { writer.write("\"", into: &output) }
  }

  /// Envoy's short names, joined by commas.
  mutating func flags(_ flags: ResponseFlags, into output: inout MutableRawSpan) {
    guard !flags.isEmpty else { return missing(into: &output) }
    if isJSON { writer.write("\"", into: &output) }
    var isFirst = true
    for (flag, name) in ResponseFlags.names where flags.contains(flag) {
      if !isFirst { writer.write(",", into: &output) }
      isFirst = false
      writer.write(name, into: &output)
    }
    if isJSON { writer.write("\"", into: &output) }
  }
}
