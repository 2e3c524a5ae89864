/// Some bytes of a header block's store.
@frozen
package struct ByteRange: Equatable, Sendable {
  package var offset: UInt32
  package var count: UInt32

  @inlinable
  package init(offset: Int, count: Int) {
    self.offset = UInt32(truncatingIfNeeded: offset)
    self.count = UInt32(truncatingIfNeeded: count)
  }

  /// No bytes.
  package static let empty = ByteRange(offset: 0, count: 0)

  @inlinable
  package var isEmpty: Bool { count == 0 }

  /// The position behind the last byte.
  @inlinable
  package var end: Int { Int(offset) + Int(count) }

  @inlinable
  package var start: Int { Int(offset) }

  @inlinable
  package var range: Range<Int> { start..<end }
}
