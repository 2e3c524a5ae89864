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

  /// The number that a header field holds: in JSON a string, as all header fields are for Envoy.
  mutating func headerNumber(_ value: Int?, into output: inout MutableRawSpan) {
    guard let value else { return missing(into: &output) }
    if isJSON { writer.write("\"", into: &output) }
    number(value, into: &output)
    if isJSON { writer.write("\"", into: &output) }
  }

  mutating func constant(_ text: StaticString, into output: inout MutableRawSpan) {
    guard text.utf8CodeUnitCount > 0 else { return missing(into: &output) }
    if isJSON { writer.write("\"", into: &output) }
    writer.write(text, into: &output)
    if isJSON { writer.write("\"", into: &output) }
  }

  /// `details`, and behind a failure's name in braces what was said of it, as Envoy has it:
  /// `upstream_reset_before_response_started{remote_connection_failure|Connection_refused}`.
  mutating func details(_ details: StaticString, because reason: String?, into output: inout MutableRawSpan) {
    var text = details.description
    guard let reason, !reason.isEmpty, text.hasSuffix("}") else { return constant(details, into: &output) }
    text.removeLast()
    text += "|" + reason.split(whereSeparator: \.isWhitespace).joined(separator: "_") + "}"
    self.text(text, into: &output)
  }

  /// A text that others may have had a say in. No control character gets into the log as it is: a line stays a line.
  mutating func text(_ text: String?, into output: inout MutableRawSpan) {
    guard let text, !text.isEmpty else { return missing(into: &output) }
    let bytes = Array(text.utf8)
    guard !isJSON, bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return self.bytes(bytes, into: &output) }
    for byte in bytes {
      guard byte < 0x20 || byte == 0x7F else {
        writer.write(byte, into: &output)
        continue
      }
      writer.write(byte < 16 ? "\\x0" : "\\x", into: &output)
      writer.write(hexadecimal: Int(byte), into: &output)
    }
  }

  /// The most that a failure's reason takes in a line, where it stands twice.
  static func bytesOfReason(_ reason: String) -> Int { 2 * 6 * reason.utf8.count }

  mutating func bytes(_ bytes: [UInt8], into output: inout MutableRawSpan) {
    span(bytes.span.raw, into: &output)
  }

  /// A header field. One that is there and empty is an empty text, and not missing.
  mutating func field(_ name: HeaderName, of head: borrowing RequestHead, into output: inout MutableRawSpan) {
    let value = head.headers.value(of: name)
    guard value.isEmpty, head.headers.contains(name) else { return range(value, of: head, into: &output) }
    if isJSON { writer.write("\"\"", into: &output) }
  }

  mutating func range(_ range: ByteRange, of head: borrowing RequestHead, into output: inout MutableRawSpan) {
    span(head.bytes(range), into: &output)
  }

  mutating func span(_ span: RawSpan, into output: inout MutableRawSpan) {
    guard !span.isEmpty else { return missing(into: &output) }
    guard isJSON else { return writer.write(span, into: &output) }
    writer.write("\"", into: &output)
    let octets = span.octets
    var index = 0
    while index < octets.count {
      let count = Self.charactersBytes(octets, at: index)
      if count > 1 {
        writer.write(span.extracting(index..<index + count), into: &output)
      } else {
        escaped(octets[index], into: &output)
      }
      index += count
    }
    writer.write("\"", into: &output)
  }

  /// Bytes of the character at `index`, when it is one beyond ASCII in well-formed UTF-8 (RFC 3629); else 1.
  private static func charactersBytes(_ octets: Span<UInt8>, at index: Int) -> Int {
    let first = octets[index]
    guard first >= 0xC2, first < 0xF5 else { return 1 }
    let count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard index + count <= octets.count else { return 1 }
    for offset in 1..<count where octets[index + offset] & 0xC0 != 0x80 { return 1 }
    // Neither longer than need be, nor a surrogate, nor beyond the last character.
    switch (first, octets[index + 1]) {
    case (0xE0, ..<0xA0), (0xED, 0xA0...), (0xF0, ..<0x90), (0xF4, 0x90...): return 1
    default: return count
    }
  }

  private mutating func escaped(_ byte: UInt8, into output: inout MutableRawSpan) {
    switch byte {
    case 0x22: writer.write("\\\"", into: &output)
    case 0x5C: writer.write("\\\\", into: &output)
    // A byte above ASCII that is not part of UTF-8 is shown as the Latin-1 character of the same number.
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

  /// Envoy's short names, joined by commas; `-` for none, in JSON too: for Envoy that is a value, and not one that is
  /// missing.
  mutating func flags(_ flags: ResponseFlags, into output: inout MutableRawSpan) {
    if isJSON { writer.write("\"", into: &output) }
    if flags.isEmpty { writer.write("-", into: &output) }
    var isFirst = true
    for (flag, name) in ResponseFlags.names where flags.contains(flag) {
      if !isFirst { writer.write(",", into: &output) }
      isFirst = false
      writer.write(name, into: &output)
    }
    if isJSON { writer.write("\"", into: &output) }
  }
}
