import CNghttp2
import Testing

@testable import Wire

/// The allocator as nghttp2 sees it: by its functions.
@Suite struct HTTP2MemoryTests {
  /// What nghttp2 does with memory, in short.
  @safe
  private struct Client {
    let memory = HTTP2Memory(maxSessions: 100)
    let functions: nghttp2_mem

    init() {
      unsafe functions = unsafe memory.functions
    }

    func take(_ size: Int) -> UnsafeMutableRawPointer { unsafe functions.malloc(size, functions.mem_user_data)! }
    func zeroed(_ size: Int) -> UnsafeMutableRawPointer { unsafe functions.calloc(size, 1, functions.mem_user_data)! }
    func resize(_ block: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer {
      unsafe functions.realloc(block, size, functions.mem_user_data)!
    }
    func give(_ block: UnsafeMutableRawPointer?) { unsafe functions.free(block, functions.mem_user_data) }
  }

  private static let sizes = [0, 1, 15, 16, 17, 100, 1000, 1008, 1009, 5000, 16_383, 16_384, 20_480, 20_481, 100_000]

  @Test(arguments: sizes)
  func aBlockHoldsWhatIsWrittenAndIsAlignedAsMallocsAre(size: Int) {
    let client = Client()
    let blocks = unsafe (0..<20).map { _ in unsafe client.take(size) }
    for index in 0..<20 {
      unsafe #expect(Int(bitPattern: blocks[index]) % 16 == 0)
      unsafe blocks[index].initializeMemory(as: UInt8.self, repeating: UInt8(index), count: size)
    }
    for index in 0..<20 {
      for offset in 0..<size where unsafe blocks[index].load(fromByteOffset: offset, as: UInt8.self) != index {
        Issue.record("byte \(offset) of block \(index) was overwritten")
        return
      }
      unsafe client.give(blocks[index])
    }
  }

  @Test(arguments: sizes)
  func aBlockIsTakenAgainAfterItWasGiven(size: Int) {
    let client = Client()
    let first = unsafe client.take(size)
    unsafe client.give(first)
    let second = unsafe client.take(size)
    let comesFromMalloc = (size > 1008 && size < 16_384) || size > 20_480
    #expect(unsafe first == second || comesFromMalloc)
    unsafe client.give(second)
    unsafe client.give(nil)
  }

  @Test(arguments: sizes)
  func zeroedMemoryIsZeroAlsoWhenItWasUsedBefore(size: Int) {
    let client = Client()
    let first = unsafe client.take(size)
    unsafe first.initializeMemory(as: UInt8.self, repeating: 0xFF, count: size)
    unsafe client.give(first)
    let second = unsafe client.zeroed(size)
    for offset in 0..<size { unsafe #expect(second.load(fromByteOffset: offset, as: UInt8.self) == 0) }
    unsafe client.give(second)
  }

  @Test(arguments: sizes, sizes)
  func whatIsResizedKeepsItsContents(old: Int, new: Int) {
    let client = Client()
    var block = unsafe client.resize(nil, old)
    for offset in 0..<old { unsafe block.storeBytes(of: UInt8(offset % 251), toByteOffset: offset, as: UInt8.self) }
    unsafe block = unsafe client.resize(block, new)
    for offset in 0..<min(old, new) where unsafe block.load(fromByteOffset: offset, as: UInt8.self) != offset % 251 {
      Issue.record("byte \(offset) was lost")
      return
    }
    unsafe client.give(block)
  }

  @Test func anImpossibleSizeIsNotToBeHad() {
    let client = Client()
    unsafe #expect(client.functions.malloc(Int.max, client.functions.mem_user_data) == nil)
    unsafe #expect(client.functions.calloc(Int.max, 2, client.functions.mem_user_data) == nil)
  }

  @Test func pagesThatWereDroppedReadAsZeros() {
    var blocks = HTTP2FrameBlocks(maxBlocks: 1)
    guard let block = unsafe blocks.take() else {
      Issue.record("no block")
      return
    }
    unsafe block.storeBytes(of: 7, as: UInt8.self)
    unsafe blocks.dropPages(of: block)
    unsafe #expect(block.load(as: UInt8.self) == 0)
    unsafe #expect(blocks.take() == nil)
    unsafe blocks.give(block)
    unsafe #expect(blocks.take() == block)
  }
}
