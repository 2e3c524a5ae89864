import Testing

@testable import Wire

struct OwnedBufferTests {
  @Test func whatIsAppendedIsThereInOrderHoweverOftenItGrows() {
    var buffer = OwnedBuffer<Int>(initialCapacity: 2)
    for number in 0..<1000 { buffer.append(number * 3) }
    #expect(buffer.count == 1000)
    for index in 0..<1000 { #expect(buffer[index] == index * 3) }
    buffer[7] = -1
    #expect(buffer[7] == -1)
    #expect(buffer[8] == 24)
  }

  @Test func memoryComesWithTheFirstElementAndStaysWithinWhatIsKept() {
    var buffer = OwnedBuffer<UInt8>(initialCapacity: 64)
    #expect(buffer.capacity == 0)
    #expect(buffer.bytes.byteCount == 0)
    buffer.append(1)
    #expect(buffer.capacity == 64)
    buffer.removeAll(keeping: 64)
    #expect(buffer.capacity == 64)
    #expect(buffer.count == 0)
    buffer.reserve(65)
    #expect(buffer.capacity >= 65)
    buffer.removeAll(keeping: 64)
    #expect(buffer.capacity == 0)
  }

  @Test func bytesWrittenBehindTheEndCountWhenTheyAreTaken() {
    var buffer = OwnedBuffer<UInt8>(initialCapacity: 4)
    buffer.append(0x61)
    buffer.reserve(2)
    var memory = buffer.memory
    memory.storeBytes(of: 0x62, toByteOffset: 1, as: UInt8.self)
    memory.storeBytes(of: 0x63, toByteOffset: 2, as: UInt8.self)
    #expect(buffer.count == 1)
    buffer.take(to: 3)
    #expect((0..<3).map { buffer[$0] } == [0x61, 0x62, 0x63])
  }

  @Test func aCopyOfTheElementsFollows() {
    var first = OwnedBuffer<UInt16>(initialCapacity: 1)
    var second = OwnedBuffer<UInt16>(initialCapacity: 1)
    first.append(1)
    for number in 2..<50 { second.append(UInt16(number)) }
    first.append(contentsOf: second)
    #expect(first.count == 49)
    #expect((0..<49).map { first[$0] } == Array(1...49))
  }
}
