/// Configured texts that go into messages as they are: what would end a line there would begin another one, of the
/// writer's choice. Envoy refuses them too, when it is given its configuration.
enum WireText {
  /// The value of a header field: no control character but HTAB (RFC 9110, section 5.5).
  static func checkFieldValue(_ text: Located<String>?, _ context: DecodingContext) {
    refuse(text, "a header value", context, where: isForbiddenInField)
  }

  /// Whether a byte cannot stand in the value of a header field.
  static func isForbiddenInField(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7F }

  /// A path or a piece of one: neither control characters nor blanks (RFC 9112, section 3.2).
  static func checkTarget(_ text: Located<String>?, _ context: DecodingContext) {
    refuse(text, "a path", context) { $0 <= 0x20 || $0 == 0x7F }
  }

  /// An authority or a scheme: what `checkTarget` refuses, and what would end it.
  static func checkAuthority(_ text: Located<String>?, _ context: DecodingContext) {
    refuse(text, "an authority", context) { $0 <= 0x20 || $0 == 0x7F || "/?#@\\".utf8.contains($0) }
  }

  private static func refuse(
    _ text: Located<String>?, _ what: String, _ context: DecodingContext, where isBad: (UInt8) -> Bool
  ) {
    guard let text, let byte = text.value.utf8.first(where: isBad) else { return }
    let digits = String(byte, radix: 16, uppercase: true)
    context.error(
      "\(text.value.debugDescription) is not \(what): it contains \(name(of: byte, digits))", at: text.location,
      help: byte == 0x20 ? "write %20 for a blank in a path" : nil)
  }

  private static func name(of byte: UInt8, _ digits: String) -> String {
    switch byte {
    case 0x0A: "a line feed"
    case 0x0D: "a carriage return"
    case 0x20: "a blank"
    case 0x21...0x7E: "\"\(UnicodeScalar(byte))\""
    default: "the control character 0x\(digits.count == 1 ? "0" : "")\(digits)"
    }
  }
}
