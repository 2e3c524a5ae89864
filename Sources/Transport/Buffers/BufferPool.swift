/// Memory blocks of one loop in two sizes: most messages fit the small one; bulk transfers borrow the large one to save
/// system calls. Blocks return here when a connection has nothing in flight, so an idle connection holds none.
@safe
package final class BufferPool {
  /// Capacity of a small block: a request head with room, one TLS record. In bytes.
  package static let smallBytes = 16 * 1024
  /// Capacity of a large block. In bytes.
  package static let largeBytes = 128 * 1024
  /// Blocks kept for reuse, of each size; more are given back to the system.
  private static let keptSmall = 128
  private static let keptLarge = 8

  private var small = FreeList()
  private var large = FreeList()
  /// Bytes lent out at the moment.
  package private(set) var lentBytes = 0

  init() {}

  deinit {
    while let block = unsafe small.pop() { unsafe block.deallocate() }
    while let block = unsafe large.pop() { unsafe block.deallocate() }
  }

  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    lentBytes += bytes
    if bytes == Self.smallBytes, let block = unsafe small.pop() { return unsafe block }
    if bytes == Self.largeBytes, let block = unsafe large.pop() { return unsafe block }
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  }

  func give(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    lentBytes -= bytes
    if bytes == Self.smallBytes, small.count < Self.keptSmall {
      unsafe small.push(block)
    } else if bytes == Self.largeBytes, large.count < Self.keptLarge {
      unsafe large.push(block)
    } else {
      unsafe block.deallocate()
    }
  }

  /// Gives all but a few of the blocks that nobody uses back to the system.
  package func shrink() {
    while small.count > Self.leastSmall, let block = unsafe small.pop() { unsafe block.deallocate() }
    while let block = unsafe large.pop() { unsafe block.deallocate() }
  }

  private static let leastSmall = 8

  /// Blocks that nobody uses, last given first taken. Each holds the address of the next in its first bytes: a list beside
  /// them would have to be checked for sharing with every block that comes and goes.
  @safe
  private struct FreeList: ~Copyable {
    private(set) var count = 0
    private var first: UnsafeMutableRawPointer?

    @unsafe
    mutating func push(_ block: UnsafeMutableRawPointer) {
      unsafe block.storeBytes(of: first, as: UnsafeMutableRawPointer?.self)
      unsafe first = block
      count += 1
    }

    @unsafe
    mutating func pop() -> UnsafeMutableRawPointer? {
      guard let block = unsafe first else { return nil }
      unsafe first = block.load(as: UnsafeMutableRawPointer?.self)
      count -= 1
      return unsafe block
    }
  }
}
