/// Memory blocks of one loop in two sizes: most messages fit the small one; bulk transfers borrow the large one to save
/// system calls. Blocks return here when a connection has nothing in flight, so an idle connection holds none.
@safe
package final class BufferPool {
  /// Capacity of a small block: a request head with room, one TLS record. In bytes.
  package static let smallBytes = 16 * 1024
  /// Capacity of a large block. In bytes.
  package static let largeBytes = 128 * 1024
  /// Blocks kept for reuse, of each size; more are given back to the system.
  private static let keptSmall = 64
  private static let keptLarge = 8

  private var small = unsafe [UnsafeMutableRawPointer]()
  private var large = unsafe [UnsafeMutableRawPointer]()
  /// Bytes lent out at the moment.
  package private(set) var lentBytes = 0

  init() {
    unsafe small.reserveCapacity(Self.keptSmall)
    unsafe large.reserveCapacity(Self.keptLarge)
  }

  deinit {
    while let block = unsafe small.popLast() { unsafe block.deallocate() }
    while let block = unsafe large.popLast() { unsafe block.deallocate() }
  }

  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    lentBytes += bytes
    if bytes == Self.smallBytes, let block = unsafe small.popLast() { return unsafe block }
    if bytes == Self.largeBytes, let block = unsafe large.popLast() { return unsafe block }
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  }

  func give(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    lentBytes -= bytes
    if bytes == Self.smallBytes, unsafe small.count < Self.keptSmall {
      unsafe small.append(block)
    } else if bytes == Self.largeBytes, unsafe large.count < Self.keptLarge {
      unsafe large.append(block)
    } else {
      unsafe block.deallocate()
    }
  }
}
