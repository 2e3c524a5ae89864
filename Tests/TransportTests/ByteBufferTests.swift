import Testing

@testable import Transport

@Suite struct ByteBufferTests {
  private let pool = BufferPool()

  private func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
    (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
  }

  private func contents(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    buffer.withBytes { span in (0..<span.byteCount).map { span.unsafeByte($0) } }
  }

  private func append(_ bytes: [UInt8], to buffer: inout ByteBuffer) -> Bool {
    unsafe buffer.append(bytes.span.bytes)
  }

  @Test func anEmptyBufferHoldsNoBlock() {
    var buffer = ByteBuffer(pool: pool)
    #expect(buffer.blockBytes == 0 && buffer.isEmpty && !buffer.isFull)
    #expect(append([], to: &buffer))
    #expect(pool.lentBytes == 0)
    #expect(append([1], to: &buffer))
    #expect(pool.lentBytes == BufferPool.smallBytes)
    buffer.releaseIfEmpty()
    #expect(buffer.count == 1)
    buffer.consume(1)
    buffer.releaseIfEmpty()
    #expect(pool.lentBytes == 0)
  }

  @Test(arguments: [1, 100, BufferPool.smallBytes, BufferPool.smallBytes + 1, BufferPool.largeBytes])
  func bytesComeOutAsTheyWentIn(count: Int) {
    var buffer = ByteBuffer(pool: pool)
    #expect(append(pattern(count), to: &buffer))
    #expect(contents(buffer) == pattern(count))
    #expect(buffer.isFull == (count == BufferPool.smallBytes || count == BufferPool.largeBytes))
    #expect(buffer.blockBytes == (count > BufferPool.smallBytes ? BufferPool.largeBytes : BufferPool.smallBytes))
  }

  @Test func whatDoesNotFitChangesNothing() {
    var buffer = ByteBuffer(pool: pool)
    #expect(append(pattern(100), to: &buffer))
    #expect(!append(pattern(BufferPool.largeBytes), to: &buffer))
    #expect(contents(buffer) == pattern(100))
    #expect(buffer.blockBytes == BufferPool.smallBytes)
  }

  @Test func freeSpaceAtTheHeadIsUsedBeforeALargerBlock() {
    var buffer = ByteBuffer(pool: pool)
    #expect(append(pattern(BufferPool.smallBytes), to: &buffer))
    buffer.consume(BufferPool.smallBytes - 10)
    #expect(append(pattern(BufferPool.smallBytes - 10), to: &buffer))
    #expect(buffer.blockBytes == BufferPool.smallBytes)
    #expect(contents(buffer) == pattern(10, from: BufferPool.smallBytes - 10) + pattern(BufferPool.smallBytes - 10))
  }

  @Test func randomUseAgreesWithAnArray() {
    var model: [UInt8] = []
    var buffer = ByteBuffer(pool: pool)
    var written = 0
    for step in 0..<3000 {
      let size = (step &* 7919) % 5000
      if step % 3 != 2 {
        let bytes = pattern(size, from: written)
        let fits = model.count + size <= BufferPool.largeBytes
        #expect(append(bytes, to: &buffer) == fits)
        if fits {
          model += bytes
          written += size
        }
      } else {
        let taken = min(size * 2, model.count)
        buffer.consume(taken)
        model.removeFirst(taken)
        if model.isEmpty { buffer.releaseIfEmpty() }
      }
      #expect(buffer.count == model.count)
    }
    #expect(contents(buffer) == model)
  }

  @Test func fillingStopsWhenThereIsNoRoom() {
    var buffer = ByteBuffer(pool: pool)
    let filled = unsafe buffer.fill {
      unsafe $0.initializeMemory(as: UInt8.self, repeating: 9, count: $1); return $1
    }
    #expect(filled == BufferPool.smallBytes)
    let isFull = buffer.isFull
    #expect(isFull)
    let overfilled = unsafe buffer.fill { _, _ in 1 }
    #expect(overfilled == 0)
    buffer.consume(1)
    let room = unsafe buffer.fill { _, room in room }
    #expect(room == 1)
    buffer.consume(1)
    let failed = unsafe buffer.fill { _, _ in -1 }
    #expect(failed == -1)
    #expect(buffer.count == BufferPool.smallBytes - 1)
  }

  @Test func blocksAreLentAndReturned() {
    do {
      var one = ByteBuffer(pool: pool)
      var two = ByteBuffer(pool: pool)
      #expect(append([1], to: &one) && append([2], to: &two))
      two.enlarge()
      #expect(pool.lentBytes == BufferPool.smallBytes + BufferPool.largeBytes)
      #expect(contents(two) == [2])
    }
    #expect(pool.lentBytes == 0)
  }
}
