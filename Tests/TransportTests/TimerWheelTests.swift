import Testing

@testable import Transport

@Suite struct TimerWheelTests {
  private final class Owner: EventHandler {}

  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  /// Random arming, moving and cancelling, against a plain list of deadlines.
  @Test(arguments: 0..<20)
  func `fires what a sorted list would fire, never early`(_ seed: Int) {
    var random = Generator(state: UInt64(seed) &+ 17)
    var now: Int64 = 1_000_000
    var wheel = TimerWheel(now: now)
    let owner = Owner()
    var timers = [TimerID](repeating: .none, count: 100)
    var deadlines: [Int: Int64] = [:]
    for _ in 0..<2000 {
      let index = Int.random(in: 0..<100, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let spans: [Int64] = [1, 50, 300, 5000, 100_000, 4_000_000]
        let deadline = now + Int64.random(in: 0...(spans.randomElement(using: &random) ?? 1), using: &random)
        wheel.arm(&timers[index], at: deadline, owner: Ref(owner), tag: UInt8(index))
        deadlines[index] = deadline
      case 2:
        wheel.cancel(&timers[index])
        deadlines[index] = nil
      default:
        now += Int64.random(in: 0...2000, using: &random)
        while let due = wheel.popDue(now: now) {
          let fired = Int(due.tag)
          timers[fired] = .none
          let deadline = deadlines.removeValue(forKey: fired)
          #expect(deadline != nil && (deadline ?? .max) <= now)
        }
        // A tick of 4 ms and no more may a timer be late.
        #expect(deadlines.values.allSatisfy { $0 > now - 4 })
        if let next = wheel.nextDeadline() {
          #expect(next <= (deadlines.values.min() ?? .max) + 4 || deadlines.isEmpty)
        } else {
          #expect(deadlines.isEmpty)
        }
      }
    }
  }

  @Test func `moving a deadline later only writes a number`() {
    var wheel = TimerWheel(now: 0)
    let owner = Owner()
    var timer = TimerID.none
    wheel.arm(&timer, at: 100, owner: Ref(owner), tag: 1)
    wheel.arm(&timer, at: 5000, owner: Ref(owner), tag: 1)
    let early = wheel.popDue(now: 4000)?.tag
    #expect(early == nil)
    #expect(timer.isArmed)
    let late = wheel.popDue(now: 5004)?.tag
    #expect(late == 1)
  }
}

@Suite struct ByteBufferTests {
  @Test func `fills, consumes, compacts and grows`() {
    let pool = BufferPool()
    var buffer = ByteBuffer(pool: pool)
    let piece = [UInt8](repeating: 7, count: 10_000)
    let first = unsafe buffer.append(piece.span.bytes)
    #expect(first && pool.lentBytes == BufferPool.smallBytes)
    buffer.consume(9000)
    let second = unsafe buffer.append(piece.span.bytes)
    var count = buffer.count
    #expect(second && count == 11_000 && pool.lentBytes == BufferPool.smallBytes)
    let third = unsafe buffer.append(piece.span.bytes)
    count = buffer.count
    #expect(third && count == 21_000 && pool.lentBytes == BufferPool.largeBytes)
    buffer.consume(21_000)
    buffer.releaseIfEmpty()
    #expect(pool.lentBytes == 0)
  }

  @Test func `refuses what does not fit, and changes nothing`() {
    let pool = BufferPool()
    var buffer = ByteBuffer(pool: pool)
    let large = [UInt8](repeating: 1, count: BufferPool.largeBytes + 1)
    let fits = unsafe buffer.append(large.span.bytes)
    let count = buffer.count
    #expect(!fits && count == 0)
  }
}

@Suite struct SocketAddressTests {
  @Test(arguments: ["127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::ff", "fe80::1"])
  func `writes what it reads`(_ text: String) throws {
    let address = try #require(SocketAddress(literal: text, port: 8443))
    #expect(address.host == text)
    var bytes = [UInt8](repeating: 0, count: 64)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    let count = address.write(into: &raw)
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == address.description)
    let (storage, _) = address.storage
    #expect(SocketAddress(storage) == address)
  }

  @Test func `knows private ranges`() {
    for text in [
      "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1",
      "fe80::1", "::ffff:10.0.0.1",
    ] {
      #expect(SocketAddress(literal: text, port: 0)?.isPrivate == true, "\(text)")
    }
    for text in ["8.8.8.8", "172.32.0.1", "203.0.113.1", "2001:db8::1"] {
      #expect(SocketAddress(literal: text, port: 0)?.isPrivate == false, "\(text)")
    }
  }

  @Test func `takes no names for addresses`() {
    #expect(SocketAddress(literal: "example.com", port: 1) == nil)
    #expect(SocketAddress(literal: "1.2.3", port: 1) == nil)
  }
}
