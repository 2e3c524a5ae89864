/// Trailers that wait until the body before them has gone out. Kept and used again.
final class HTTP2Trailers {
  private(set) var fields = HeaderBlock(byteCapacity: 256, fieldCapacity: 4)

  /// Takes a copy of `block`.
  func set(_ block: borrowing HeaderBlock) { fields.copy(from: block) }
}
