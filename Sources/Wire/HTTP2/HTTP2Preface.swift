/// The bytes that a client's HTTP/2 connection begins with (RFC 9113, section 3.4): how prior knowledge shows itself on
/// a plaintext connection. No HTTP/1 request begins with them.
package enum HTTP2Preface {
  /// Whether input is the preface.
  package enum Answer { case yes, no, perhaps }

  private static let text: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  /// Compares the beginning of `input`; `perhaps` while it is too short to tell.
  package static func compare(_ input: RawSpan) -> Answer {
    let bytes = input.octets
    let count = min(bytes.count, text.utf8CodeUnitCount)
    for index in 0..<count where unsafe bytes[index] != text.utf8Start[index] { return .no }
    return count == text.utf8CodeUnitCount ? .yes : .perhaps
  }
}
