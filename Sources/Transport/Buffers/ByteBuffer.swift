/// Bytes between a reader and a writer: one block borrowed from a pool, filled at the tail and consumed at the head.
///
/// Not copyable, so the block has one owner. An empty buffer can give its block back and borrow another when bytes
/// come.
@safe
package struct ByteBuffer: ~Copyable {
  private var block: UnsafeMutableRawPointer?
  private var capacity = 0
  private var head = 0
  private var tail = 0
  private let pool: BufferPool

  /// An empty buffer that holds no block.
  package init(pool: BufferPool) {
    self.pool = pool
  }

  deinit {
    if let block = unsafe block { unsafe pool.give(block, capacity) }
  }

  /// Bytes waiting to be consumed.
  @inline(__always)
  package var count: Int { tail - head }

  /// Whether nothing waits to be consumed.
  @inline(__always)
  package var isEmpty: Bool { head == tail }

  /// Bytes that fit behind the waiting ones, after moving those to the front.
  package var room: Int { capacity - count }

  /// Whether the waiting bytes fill the whole block.
  package var isFull: Bool { capacity > 0 && count == capacity }

  /// The size of the block that is held, 0 if none.
  package var blockBytes: Int { capacity }

  /// The waiting bytes.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: tail - head)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private var base: UnsafeMutableRawPointer {
    // An empty buffer without a block needs some address for a span of length 0.
    unsafe block.map { unsafe $0 + head } ?? UnsafeMutableRawPointer(bitPattern: 16)!
  }

  /// Lends the waiting bytes to `body`.
  package func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
    body(bytes)
  }

  /// Drops `count` bytes at the head.
  @inline(__always)
  package mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= tail - head)
    head += count
    if head == tail {
      head = 0
      tail = 0
    }
  }

  /// Drops all waiting bytes.
  package mutating func removeAll() {
    head = 0
    tail = 0
  }

  /// Makes room for at least `bytes` more bytes, moving to a large block if the small one does not do.
  /// Returns false, changing nothing, when not even a large block has the room.
  package mutating func reserve(_ bytes: Int) -> Bool {
    if capacity - tail >= bytes { return true }
    if capacity - count >= bytes {
      compact()
      return true
    }
    guard count + bytes <= BufferPool.largeBytes else { return false }
    grow(to: count + bytes <= BufferPool.smallBytes ? BufferPool.smallBytes : BufferPool.largeBytes)
    return true
  }

  /// Borrows a large block, for bulk transfers.
  package mutating func enlarge() {
    if capacity < BufferPool.largeBytes { grow(to: BufferPool.largeBytes) }
  }

  /// Appends `span` whole, or returns false, changing nothing, when it does not fit.
  package mutating func append(_ span: RawSpan) -> Bool {
    let size = span.byteCount
    guard size > 0 else { return true }
    guard reserve(size), let block = unsafe block else { return false }
    unsafe span.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (block + tail).copyMemory(from: start, byteCount: size)
    }
    tail += size
    return true
  }

  /// Lets `body` write up to `bytes` bytes at the tail; it returns how many it wrote.
  /// Returns false when there is no room for `bytes`.
  package mutating func write(_ bytes: Int, _ body: (inout MutableRawSpan) -> Int) -> Bool {
    guard reserve(bytes), let block = unsafe block else { return false }
    var span = unsafe MutableRawSpan(_unsafeStart: block + tail, byteCount: capacity - tail)
    let written = body(&span)
    precondition(written >= 0 && written <= capacity - tail)
    tail += written
    return true
  }

  /// Lends the free space at the tail to a system call or to OpenSSL, which says how much it filled (negative:
  /// nothing).
  @unsafe
  mutating func fill(_ body: (UnsafeMutableRawPointer, Int) -> Int) -> Int {
    if tail == capacity {
      if head > 0 { compact() } else if capacity == 0 { grow(to: BufferPool.smallBytes) }
    }
    guard let block = unsafe block, tail < capacity else { return 0 }
    let filled = unsafe body(block + tail, capacity - tail)
    precondition(filled <= capacity - tail)
    if filled > 0 { tail += filled }
    return filled
  }

  /// Lends the waiting bytes to a system call; nothing is consumed.
  @unsafe
  func lend(_ body: (UnsafeRawPointer, Int) -> Int) -> Int {
    unsafe body(UnsafeRawPointer(base), count)
  }

  /// Gives the block back to the pool if nothing waits in it.
  package mutating func releaseIfEmpty() {
    guard head == tail, let block = unsafe block else { return }
    unsafe pool.give(block, capacity)
    unsafe self.block = nil
    capacity = 0
    head = 0
    tail = 0
  }

  private mutating func compact() {
    guard head > 0, let block = unsafe block else { return }
    unsafe block.copyMemory(from: block + head, byteCount: tail - head)
    tail -= head
    head = 0
  }

  private mutating func grow(to bytes: Int) {
    let larger = unsafe pool.take(bytes)
    if let block = unsafe block {
      unsafe larger.copyMemory(from: block + head, byteCount: tail - head)
      unsafe pool.give(block, capacity)
    }
    unsafe block = larger
    capacity = bytes
    tail -= head
    head = 0
  }
}
