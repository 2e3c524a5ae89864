import Testing

@testable import Transport

@Suite struct TimerWheelTests {
  /// Repeatable pseudo-random numbers (SplitMix64).
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// What the wheel is checked against: a list of deadlines.
  private struct Armed {
    var timer = TimerID.none
    var deadline: Int64?
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
  func timersFireOnceAndNeverEarlyAndNeverLateByMoreThanATick(seed: UInt64) {
    var random = Generator(state: seed)
    let owner = EventHandler()
    var now = Int64.random(in: 0...(1 << 40), using: &random)
    var wheel = TimerWheel(now: now)
    var timers = [Armed](repeating: Armed(), count: 200)
    let tick = TimerWheel.tickMilliseconds
    for _ in 0..<4000 {
      let index = Int.random(in: 0..<timers.count, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let exponent = Int.random(in: 0...24, using: &random)
        let deadline = now + Int64.random(in: 0...(1 << exponent), using: &random)
        wheel.arm(&timers[index].timer, at: deadline, owner: Ref(owner), tag: UInt8(index))
        timers[index].deadline = deadline
      case 6:
        wheel.cancel(&timers[index].timer)
        timers[index].deadline = nil
        #expect(!timers[index].timer.isArmed)
      default:
        now += Int64.random(in: 0...(1 << Int.random(in: 0...20, using: &random)), using: &random)
        while let due = wheel.popDue(now: now) {
          let fired = Int(due.tag)
          guard let deadline = timers[fired].deadline else {
            Issue.record("timer \(fired) fired, and is not armed")
            return
          }
          #expect(deadline <= now, "early")
          timers[fired] = Armed()
        }
        // Nothing that was due a tick ago may still wait.
        #expect(timers.allSatisfy { $0.deadline.map { $0 > now - tick } ?? true }, "late")
      }
      if let earliest = timers.compactMap(\.deadline).min() {
        let next = wheel.nextDeadline()
        #expect(next != nil)
        // The loop may be woken before time, to sort a slot, but never after it.
        #expect((next ?? .max) <= max(earliest, now) + tick)
      } else {
        #expect(wheel.nextDeadline() == nil)
      }
    }
  }

  @Test func aDeadlineThatMovesAwayDoesNotFireAtTheOldTime() {
    let owner = EventHandler()
    var wheel = TimerWheel(now: 0)
    var timer = TimerID.none
    for now in stride(from: Int64(0), to: 10_000, by: 50) {
      wheel.arm(&timer, at: now + 100, owner: Ref(owner), tag: 0)
      #expect(wheel.popDue(now: now) == nil)
    }
    #expect(wheel.popDue(now: 10_049) == nil)
    #expect(wheel.popDue(now: 10_052) != nil)
    #expect(wheel.nextDeadline() == nil)
  }

  @Test func aDeadlineThatComesNearerFiresAtTheNewTime() {
    let owner = EventHandler()
    var wheel = TimerWheel(now: 0)
    var timer = TimerID.none
    wheel.arm(&timer, at: 1_000_000, owner: Ref(owner), tag: 0)
    wheel.arm(&timer, at: 100, owner: Ref(owner), tag: 0)
    #expect(wheel.popDue(now: 99) == nil)
    #expect(wheel.popDue(now: 104) != nil)
    #expect(wheel.popDue(now: 2_000_000) == nil)
  }

  @Test(arguments: [0, 12_345, 4_294_967_296, 4_294_967_295, 622_942_404_352] as [Int64])
  func deadlinesBeyondTheRangeAreKept(start: Int64) {
    let owner = EventHandler()
    let year: Int64 = start + 365 * 86_400_000
    var wheel = TimerWheel(now: start)
    var timer = TimerID.none
    wheel.arm(&timer, at: year, owner: Ref(owner), tag: 0)
    var now = start
    while now < year {
      #expect(wheel.popDue(now: now) == nil)
      now = wheel.nextDeadline() ?? year
    }
    #expect(wheel.popDue(now: year + TimerWheel.tickMilliseconds) != nil)
  }

  @Test func cancellingTwiceOrWhatIsNotArmedDoesNothing() {
    let owner = EventHandler()
    var wheel = TimerWheel(now: 0)
    var timer = TimerID.none
    wheel.cancel(&timer)
    wheel.arm(&timer, at: 100, owner: Ref(owner), tag: 0)
    wheel.cancel(&timer)
    wheel.cancel(&timer)
    #expect(wheel.nextDeadline() == nil)
    #expect(wheel.popDue(now: 1000) == nil)
  }
}
