import CNghttp2
import Glibc

/// What the HTTP/2 sessions of one thread share: small blocks kept for reuse by size, of which nghttp2 takes and gives about
/// eight for every request, more at a time than malloc's own cache of a thread keeps; and the pages that frames are written
/// in.
///
/// Sessions that share one must live, and be freed, on one thread.
@safe
package final class HTTP2Memory {
  /// Sizes go up by this. In bytes.
  private static let step = 32
  /// In front of each block: its size in steps, 0 when it came from malloc for itself. Keeps the alignment of malloc.
  private static let headerBytes = 16
  /// Larger blocks are malloc's business.
  private static let largest = 1024
  /// What lies unused here at most. In bytes.
  private static let keptBytes = 256 * 1024

  private var free = unsafe InlineArray<33, UnsafeMutableRawPointer?>(repeating: nil)
  private var unused = 0
  private var frameBlocks: HTTP2FrameBlocks
  /// The last block of those that was taken.
  private var lastFrameBlock: UnsafeMutableRawPointer?
  /// Fields on their way to nghttp2, which copies them at once.
  var fields = unsafe HTTP2FieldList()

  /// - Parameter maxSessions: how many sessions share it; more are served too, at a higher cost of memory.
  package init(maxSessions: Int) {
    frameBlocks = HTTP2FrameBlocks(maxBlocks: maxSessions)
  }

  deinit {
    for steps in unsafe 0..<free.count {
      while let block = unsafe pop(steps) { unsafe Glibc.free(block) }
    }
  }

  /// The functions that nghttp2 is given. They are valid as long as this object.
  @unsafe
  var functions: nghttp2_mem {
    unsafe nghttp2_mem(
      mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
      malloc: { size, data in unsafe HTTP2Memory.with(data) { unsafe $0.take(size) } },
      free: { block, data in unsafe HTTP2Memory.with(data) { unsafe $0.give(block) } },
      calloc: { count, size, data in unsafe HTTP2Memory.with(data) { unsafe $0.takeZeroed(count, size) } },
      realloc: { block, size, data in unsafe HTTP2Memory.with(data) { unsafe $0.resize(block, size) } })
  }

  @inline(__always)
  private static func with<Result>(_ data: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> Result) -> Result {
    // Sessions hold on to it as long as nghttp2 may call.
    guard let data = unsafe data else { fatalError("nghttp2 lost its memory") }
    return unsafe Unmanaged<HTTP2Memory>.fromOpaque(data)._withUnsafeGuaranteedRef { body($0) }
  }

  private func take(_ size: Int) -> UnsafeMutableRawPointer? {
    if size >= HTTP2FrameBlocks.leastBytes, size <= HTTP2FrameBlocks.blockBytes, let block = unsafe frameBlocks.take() {
      unsafe lastFrameBlock = block
      return unsafe block
    }
    guard size <= Self.largest - Self.headerBytes else {
      // Nobody asks for a size near the end of the address space; if so, there is no such memory.
      guard size <= Int.max - Self.headerBytes, let block = unsafe malloc(size + Self.headerBytes) else { return nil }
      return unsafe Self.begin(block, 0)
    }
    let steps = (size + Self.headerBytes + Self.step - 1) / Self.step
    if let block = unsafe pop(steps) {
      unused -= steps * Self.step
      return unsafe block + Self.headerBytes
    }
    guard let block = unsafe malloc(steps * Self.step) else { return nil }
    return unsafe Self.begin(block, steps)
  }

  private func takeZeroed(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    let (bytes, overflows) = count.multipliedReportingOverflow(by: size)
    guard !overflows, let block = unsafe take(bytes) else { return nil }
    unsafe memset(block, 0, bytes)
    return unsafe block
  }

  private func give(_ pointer: UnsafeMutableRawPointer?) {
    guard let pointer = unsafe pointer else { return }
    if unsafe frameBlocks.contains(pointer) { return unsafe frameBlocks.give(pointer) }
    let block = unsafe pointer - Self.headerBytes
    let steps = unsafe block.load(as: Int.self)
    guard steps > 0, unused < Self.keptBytes else { return unsafe Glibc.free(block) }
    unused += steps * Self.step
    unsafe push(block, steps)
  }

  private func resize(_ pointer: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
    guard let pointer = unsafe pointer else { return unsafe take(size) }
    if unsafe frameBlocks.contains(pointer) { return unsafe move(pointer, HTTP2FrameBlocks.blockBytes, to: size) }
    let block = unsafe pointer - Self.headerBytes
    let steps = unsafe block.load(as: Int.self)
    if steps == 0, size <= Int.max - Self.headerBytes {
      guard let moved = unsafe realloc(block, size + Self.headerBytes) else { return nil }
      return unsafe moved + Self.headerBytes
    }
    return unsafe move(pointer, steps * Self.step - Self.headerBytes, to: size)
  }

  @unsafe
  private func move(_ pointer: UnsafeMutableRawPointer, _ room: Int, to size: Int) -> UnsafeMutableRawPointer? {
    if size <= room { return unsafe pointer }
    guard let larger = unsafe take(size) else { return nil }
    unsafe larger.copyMemory(from: pointer, byteCount: room)
    unsafe give(pointer)
    return unsafe larger
  }

  /// The block that the session that was made last writes its frames in.
  @unsafe
  func takeFrameBlock() -> UnsafeMutableRawPointer? {
    defer { unsafe lastFrameBlock = nil }
    return unsafe lastFrameBlock
  }

  /// Gives the memory of a session's frame block back, while nothing is in it.
  @unsafe
  func dropPages(of block: UnsafeMutableRawPointer) { unsafe frameBlocks.dropPages(of: block) }

  @unsafe
  private static func begin(_ block: UnsafeMutableRawPointer, _ steps: Int) -> UnsafeMutableRawPointer {
    unsafe block.storeBytes(of: steps, as: Int.self)
    return unsafe block + headerBytes
  }

  /// Unused blocks of one size are a list: each holds the address of the next behind its header's first word.
  private func push(_ block: UnsafeMutableRawPointer, _ steps: Int) {
    unsafe block.storeBytes(of: free[steps], toByteOffset: 8, as: UnsafeMutableRawPointer?.self)
    unsafe free[steps] = block
  }

  private func pop(_ steps: Int) -> UnsafeMutableRawPointer? {
    guard let block = unsafe free[steps] else { return nil }
    unsafe free[steps] = block.load(fromByteOffset: 8, as: UnsafeMutableRawPointer?.self)
    return unsafe block
  }
}
