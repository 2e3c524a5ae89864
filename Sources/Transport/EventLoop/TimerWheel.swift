/// A handle to an armed timer; `none` when it is not armed. Trivial, so that a connection can keep several.
@frozen
package struct TimerID: Equatable {
  @usableFromInline var index: Int32

  @inlinable
  init(index: Int32) { self.index = index }

  package static let none = TimerID(index: -1)

  /// Whether the timer is waiting in a wheel.
  @inlinable
  package var isArmed: Bool { index >= 0 }
}

/// Timers of one loop: a hierarchical wheel of five levels with 64 slots each, 4 ms a tick.
///
/// Why not a heap: nearly all timers of a proxy are deadlines that move away before they are reached (an idle timeout with
/// every request). Moving a deadline later only writes a number; the wheel finds out when the old slot comes up.
/// Arming, moving and cancelling are O(1) and allocate nothing once the node table has grown to its working size.
/// Deadlines are rounded up to the next tick, so a timer never fires early. Range: 49 days, longer ones are re-armed inside.
struct TimerWheel {
  static let tickMilliseconds: Int64 = 4
  private static let levelCount = 5
  private static let slotBits: Int64 = 6
  private static let slotsPerLevel = 64
  private static let range: Int64 = 1 << (slotBits * Int64(levelCount))

  private struct Node {
    var next: Int32
    var previous: Int32  // node before, or -(slot + 2) when first in a slot's list
    var deadline: Int64  // in milliseconds: when the owner wants it
    var slot: Int32  // where it hangs, -1 while firing
    var tag: UInt8
    var owner: Ref<EventHandler>?
  }

  private var nodes: [Node] = []
  private var freeNode: Int32 = -1
  private var heads = [Int32](repeating: -1, count: levelCount * slotsPerLevel)
  private var occupied = [UInt64](repeating: 0, count: levelCount)
  private var elapsed: Int64  // ticks

  init(now: Int64) {
    elapsed = now / Self.tickMilliseconds
  }

  /// Arms `timer`, or moves it if it is armed. Moving a deadline later costs one store.
  mutating func arm(_ timer: inout TimerID, at deadline: Int64, owner: Ref<EventHandler>, tag: UInt8) {
    if timer.isArmed {
      let index = Int(timer.index)
      let isLater = deadline >= nodes[index].deadline
      nodes[index].deadline = deadline
      if isLater { return }
      unlink(timer.index)
      link(timer.index)
      return
    }
    timer = TimerID(index: takeNode(owner: owner, tag: tag, deadline: deadline))
    link(timer.index)
  }

  /// Disarms `timer`; a timer that is not armed stays so.
  mutating func cancel(_ timer: inout TimerID) {
    guard timer.isArmed else { return }
    unlink(timer.index)
    give(timer.index)
    timer = .none
  }

  /// When the wheel has to be turned next, in milliseconds of the loop's clock; nil when nothing is armed.
  func nextDeadline() -> Int64? {
    guard let (_, _, tick) = nextSlot() else { return nil }
    return tick * Self.tickMilliseconds
  }

  /// Takes one due timer, or returns nil when none is due at `now`. The owner's `TimerID` is void from then on.
  mutating func popDue(now: Int64) -> (owner: Ref<EventHandler>, tag: UInt8)? {
    let nowTick = now / Self.tickMilliseconds
    while let (level, slot, tick) = nextSlot(), tick <= nowTick {
      elapsed = max(elapsed, tick)
      let index = heads[level * Self.slotsPerLevel + slot]
      let deadline = nodes[Int(index)].deadline
      unlink(index)
      if deadline <= now, let owner = nodes[Int(index)].owner {
        let tag = nodes[Int(index)].tag
        give(index)
        return (owner, tag)
      }
      link(index)
    }
    elapsed = max(elapsed, nowTick)
    return nil
  }

  // MARK: Slots

  /// The slot that comes up first. A lower level need not come before a higher one: while the entries of a higher slot are sorted
  /// into lower ones, some of them still hang there.
  private func nextSlot() -> (level: Int, slot: Int, tick: Int64)? {
    var first: (level: Int, slot: Int, tick: Int64)?
    for level in 0..<Self.levelCount where occupied[level] != 0 {
      let shift = Self.slotBits * Int64(level)
      let current = Int((elapsed >> shift) & 63)
      let bits = occupied[level]
      let rotated = current == 0 ? bits : (bits >> UInt64(current)) | (bits << UInt64(64 - current))
      let slot = (rotated.trailingZeroBitCount + current) & 63
      let levelStart = (elapsed >> (shift + Self.slotBits)) << (shift + Self.slotBits)
      var tick = levelStart + (Int64(slot) << shift)
      if slot < current { tick += 1 << (shift + Self.slotBits) }
      tick = max(tick, elapsed)
      if tick < first?.tick ?? .max { first = (level, slot, tick) }
    }
    return first
  }

  private mutating func link(_ index: Int32) {
    let deadlineTick = (nodes[Int(index)].deadline + Self.tickMilliseconds - 1) / Self.tickMilliseconds
    // One slot of the highest level less than the range: a whole turn ahead would look like the slot that is up now.
    let tick = min(max(deadlineTick, elapsed + 1), elapsed + Self.range - Self.range / Int64(Self.slotsPerLevel))
    let difference = UInt64(bitPattern: elapsed ^ tick)
    let level = min((63 - difference.leadingZeroBitCount) / Int(Self.slotBits), Self.levelCount - 1)
    let slot = Int((tick >> (Self.slotBits * Int64(level))) & 63)
    let place = level * Self.slotsPerLevel + slot
    let head = heads[place]
    nodes[Int(index)].next = head
    nodes[Int(index)].previous = -1
    nodes[Int(index)].slot = Int32(place)
    if head >= 0 { nodes[Int(head)].previous = index }
    heads[place] = index
    occupied[level] |= 1 << UInt64(slot)
  }

  private mutating func unlink(_ index: Int32) {
    let node = nodes[Int(index)]
    let place = Int(node.slot)
    if node.next >= 0 { nodes[Int(node.next)].previous = node.previous }
    if node.previous >= 0 {
      nodes[Int(node.previous)].next = node.next
    } else {
      heads[place] = node.next
      if node.next < 0 { occupied[place / Self.slotsPerLevel] &= ~(1 << UInt64(place % Self.slotsPerLevel)) }
    }
  }

  // MARK: Nodes

  private mutating func takeNode(owner: Ref<EventHandler>, tag: UInt8, deadline: Int64) -> Int32 {
    let node = Node(next: -1, previous: -1, deadline: deadline, slot: -1, tag: tag, owner: owner)
    guard freeNode >= 0 else {
      nodes.append(node)
      return Int32(nodes.count - 1)
    }
    let index = freeNode
    freeNode = nodes[Int(index)].next
    nodes[Int(index)] = node
    return index
  }

  private mutating func give(_ index: Int32) {
    nodes[Int(index)].owner = nil
    nodes[Int(index)].next = freeNode
    freeNode = index
  }
}
