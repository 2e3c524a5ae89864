/// Some bytes of a header block's store.
///
/// (`public`, where all else is `package`, because only public code is inlined into other targets.)
@frozen
public struct ByteRange: Equatable, Sendable {
  public var offset: UInt32
  public var count: UInt32

  @inlinable
  public init(offset: Int, count: Int) {
    self.offset = UInt32(truncatingIfNeeded: offset)
    self.count = UInt32(truncatingIfNeeded: count)
  }

  /// No bytes.
  public static let empty = ByteRange(offset: 0, count: 0)

  @inlinable
  public var isEmpty: Bool { count == 0 }

  /// The position behind the last byte.
  @inlinable
  public var end: Int { Int(offset) + Int(count) }

  @inlinable
  public var start: Int { Int(offset) }

  @inlinable
  public var range: Range<Int> { start..<end }
}
