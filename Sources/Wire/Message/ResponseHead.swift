/// A response without its body.
package struct ResponseHead: ~Copyable {
  package var status = 0
  package var version = HTTPVersion.http11
  /// The reason phrase as it was written.
  package var reason = ByteRange.empty
  package var framing = BodyFraming.none
  /// The sender allows the connection to stay open.
  package var isPersistent = true
  /// `Connection` names fields that must not be forwarded.
  var hasNominatedFields = false
  package var headers: HeaderBlock

  /// - Parameter byteCapacity: bytes of fields that fit without growing.
  package init(byteCapacity: Int = 2048) {
    headers = HeaderBlock(byteCapacity: byteCapacity, fieldCapacity: byteCapacity / 64)
  }

  /// Forgets everything, keeps the memory.
  package mutating func reset() {
    status = 0
    version = .http11
    reason = .empty
    framing = .none
    isPersistent = true
    hasNominatedFields = false
    headers.removeAll()
  }

  /// The bytes of one of the ranges.
  @inline(__always)
  @_lifetime(borrow self)
  package func bytes(_ range: ByteRange) -> RawSpan {
    headers.bytes.extracting(range.range)
  }
}
