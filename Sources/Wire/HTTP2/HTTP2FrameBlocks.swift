import Glibc

/// The blocks in which nghttp2 writes frames, one a session of 16 kB and a little, as whole pages: of most only the first
/// is ever written, and of an idle connection none need be kept. Blocks of malloc's would have been somebody's before, and
/// be in memory all through.
@safe
struct HTTP2FrameBlocks: ~Copyable {
  /// What nghttp2 asks for fits, with its own additions. In bytes.
  static let blockBytes = 20 * 1024
  /// Smaller ones are not worth pages of their own.
  static let leastBytes = 16 * 1024
  /// Address space for so many sessions; those beyond come from malloc. Nothing is reserved but addresses.
  private let maxBlocks: Int

  private var base: UnsafeMutableRawPointer?
  private var used = 0
  private var free: [Int32] = []

  init(maxBlocks: Int) {
    self.maxBlocks = maxBlocks
  }

  deinit {
    if let base = unsafe base { unsafe munmap(base, maxBlocks * Self.blockBytes) }
  }

  /// A block, or nil when there is none to be had here.
  mutating func take() -> UnsafeMutableRawPointer? {
    if unsafe base == nil { reserve() }
    guard let base = unsafe base else { return nil }
    if let index = free.popLast() { return unsafe base + Int(index) * Self.blockBytes }
    guard used < maxBlocks else { return nil }
    used += 1
    return unsafe base + (used - 1) * Self.blockBytes
  }

  /// Whether `block` came from here.
  @inline(__always)
  func contains(_ block: UnsafeMutableRawPointer) -> Bool {
    // Nearly no other address is a page's.
    guard Int(bitPattern: block) & 4095 == 0, let base = unsafe base else { return false }
    return unsafe block >= base && block < base + maxBlocks * Self.blockBytes
  }

  mutating func give(_ block: UnsafeMutableRawPointer) {
    guard let base = unsafe base else { return }
    unsafe dropPages(of: block)
    free.append(Int32(unsafe (block - base) / Self.blockBytes))
  }

  /// Gives the memory of a block back to the system; it reads as zeros from now on.
  func dropPages(of block: UnsafeMutableRawPointer) {
    precondition(unsafe contains(block))
    unsafe _ = madvise(block, Self.blockBytes, MADV_DONTNEED)
  }

  private mutating func reserve() {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let mapped = unsafe mmap(nil, maxBlocks * Self.blockBytes, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard unsafe mapped != MAP_FAILED else { return }
    unsafe base = mapped
  }
}
