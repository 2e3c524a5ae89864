import CLinux
import Synchronization

/// One thread's event loop over epoll: descriptors, timers, tasks from other threads, and work put off to the end of
/// the turn.
///
/// Everything is edge-triggered and registered once. The clock is read once a turn. A loop with nothing to do sleeps in
/// the kernel without a timeout: an idle instance does not wake up.
package final class EventLoop {
  /// Milliseconds of the monotonic clock, as of the beginning of this turn.
  package private(set) var now: Int64
  /// Nanoseconds of the monotonic clock, as of the beginning of this turn.
  package private(set) var nowNanoseconds: Int64
  /// Buffers that connections of this loop borrow while they have bytes in flight.
  package let buffers = BufferPool()
  /// Handlers that are alive on this loop; for metrics and leak checks.
  package private(set) var handlerCount = 0

  private let epoll: Int32
  private let wakeDescriptor: Int32
  private let mailbox = Mailbox()
  private var timers: TimerWheel
  private var atEnd: [Ref<EventHandler>] = []
  private var again: [Ref<EventHandler>] = []
  private var released: [Ref<EventHandler>] = []
  private var isStopping = false
  private var hasMail = false
  private static let eventsPerTurn = 256
  /// Events that are read for before the first of them is handled.
  private static let eventsPerBatch: Int32 = 32

  /// - Throws: `SystemError` when the kernel gives no epoll or eventfd descriptor.
  package init() throws {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw SystemError(call: "epoll_create1") }
    wakeDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else { throw SystemError(call: "eventfd") }
    nowNanoseconds = shim_monotonic_nanoseconds()
    now = nowNanoseconds / 1_000_000
    timers = TimerWheel(now: now)
    guard shim_epoll_add(epoll, wakeDescriptor, ReadyEvents([.readable, .edgeTriggered]).rawValue, 0) == 0 else {
      throw SystemError(call: "epoll_ctl")
    }
  }

  deinit {
    close(wakeDescriptor)
    close(epoll)
  }

  // MARK: Handlers

  /// Registers `descriptor`, edge-triggered, for `handler`. The handler stays alive until `release(_:)`.
  ///
  /// - Throws: `SystemError` when the kernel refuses (out of memory or watches).
  package func register(_ descriptor: Int32, _ handler: EventHandler, for events: ReadyEvents) throws {
    let data = unsafe UInt64(UInt(bitPattern: Unmanaged.passUnretained(handler).toOpaque()))
    let mask = events.union(.edgeTriggered).rawValue
    guard shim_epoll_add(epoll, descriptor, mask, data) == 0 else { throw SystemError(call: "epoll_ctl") }
  }

  /// Changes what `descriptor` is watched for; only for descriptors that other libraries own (a resolver's sockets).
  package func modify(_ descriptor: Int32, _ handler: EventHandler, for events: ReadyEvents) {
    let data = unsafe UInt64(UInt(bitPattern: Unmanaged.passUnretained(handler).toOpaque()))
    _ = shim_epoll_modify(epoll, descriptor, events.union(.edgeTriggered).rawValue, data)
  }

  /// Stops watching `descriptor`; closing it does the same.
  package func unregister(_ descriptor: Int32) {
    _ = shim_epoll_remove(epoll, descriptor)
  }

  /// Takes ownership of `handler`: it lives until `release(_:)`.
  package func adopt(_ handler: EventHandler) {
    _ = unsafe Unmanaged.passRetained(handler)
    handlerCount += 1
  }

  /// Gives up an adopted handler. It is destroyed at the end of this turn, so every `Ref` stays valid until then and an
  /// event that is already in this turn's batch still finds it.
  package func release(_ handler: EventHandler) {
    if !again.isEmpty { again.removeAll { $0.isLink(to: handler) } }
    released.append(Ref(handler))
    handlerCount -= 1
  }

  /// Calls `handler.turnEnded()` once all events of this turn are handled: where writes are batched.
  @inline(__always)
  package func atEndOfTurn(_ handler: EventHandler) {
    atEnd.append(Ref(handler))
  }

  /// Calls `handler.ready([])` in the next turn, after the events of other descriptors: how a busy one lets others go
  /// first.
  package func runAgain(_ handler: EventHandler) {
    again.append(Ref(handler))
  }

  // MARK: Timers

  /// Arms or moves `timer` to fire `milliseconds` from now, at least one tick (4 ms), never early.
  package func arm(_ timer: inout TimerID, after milliseconds: Int64, owner: EventHandler, tag: UInt8) {
    timers.arm(&timer, at: now + milliseconds, owner: Ref(owner), tag: tag)
  }

  /// Disarms `timer`. Must be called for every armed timer before its owner is released.
  package func cancel(_ timer: inout TimerID) {
    timers.cancel(&timer)
  }

  // MARK: Other threads

  /// Runs `task` on the loop's thread, soon. Callable from every thread; tasks of one caller keep their order.
  package func post(_ task: @escaping @Sendable (EventLoop) -> Void) {
    if mailbox.put(task) { wake() }
  }

  /// A way to reach this loop from other threads.
  package var handle: EventLoopHandle { EventLoopHandle(mailbox: mailbox, wakeDescriptor: wakeDescriptor) }

  private func wake() {
    EventLoopHandle.wake(wakeDescriptor)
  }

  // MARK: Running

  /// Runs until `stop()`, on the calling thread.
  package func run() {
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventsPerTurn)
    defer { unsafe events.deallocate() }
    while !isStopping { unsafe turn(events) }
    finishTurn()
  }

  /// Makes `run()` return at the end of this turn.
  package func stop() { isStopping = true }

  private func turn(_ events: UnsafeMutablePointer<epoll_event>) {
    let count = unsafe shim_epoll_wait(epoll, events, Int32(Self.eventsPerTurn), timeoutMilliseconds())
    readClock()
    var handled: Int32 = 0
    while handled < count {
      let batch = handled..<min(handled + Self.eventsPerBatch, count)
      unsafe handle(events, batch)
      handled = batch.upperBound
    }
    if hasMail { drainMailbox() }
    if !again.isEmpty { runPutOff() }
    while let due = timers.popDue(now: now) { due.owner.with { $0.timerFired(due.tag) } }
    finishTurn()
  }

  /// Handles a batch in steps, each for all of it: reads, then what goes first, then the rest. Going through the kernel, the
  /// parsers and the writers once for many keeps each one's code and data in the processor's caches.
  private func handle(_ events: UnsafeMutablePointer<epoll_event>, _ batch: Range<Int32>) {
    for index in batch { unsafe withHandler(of: events, index) { $0.receive($1) } }
    for index in batch { unsafe withHandler(of: events, index) { if $0.goesFirst { $0.ready($1) } } }
    for index in batch { unsafe withHandler(of: events, index) { if !$0.goesFirst { $0.ready($1) } } }
  }

  @inline(__always)
  private func withHandler(
    of events: UnsafeMutablePointer<epoll_event>, _ index: Int32, _ body: (EventHandler, ReadyEvents) -> Void
  ) {
    let data = unsafe shim_epoll_data(events, index)
    let ready = unsafe ReadyEvents(rawValue: shim_epoll_events(events, index))
    // The pointer was registered with a live handler, and a released handler lives until the end of the turn.
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: UInt(data)) else {
      hasMail = true
      return
    }
    unsafe Unmanaged<EventHandler>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0, ready) }
  }

  private func runPutOff() {
    let count = again.count
    for _ in 0..<count {
      // A handler may be released by another one, which takes it off this list.
      guard !again.isEmpty else { return }
      again.removeFirst().with { $0.ready([]) }
    }
  }

  /// Runs end-of-turn work (which may put off more, and release handlers), then destroys what was released.
  private func finishTurn() {
    var index = 0
    while index < atEnd.count {
      atEnd[index].with { $0.turnEnded() }
      index += 1
    }
    atEnd.removeAll(keepingCapacity: true)
    guard !released.isEmpty else { return }
    for handler in released { unsafe handler.unmanaged.release() }
    released.removeAll(keepingCapacity: true)
  }

  private func timeoutMilliseconds() -> Int32 {
    guard again.isEmpty else { return 0 }
    guard let deadline = timers.nextDeadline() else { return -1 }
    return Int32(clamping: max(0, deadline - now))
  }

  private func readClock() {
    nowNanoseconds = shim_monotonic_nanoseconds()
    now = nowNanoseconds / 1_000_000
  }

  private func drainMailbox() {
    hasMail = false
    var value: UInt64 = 0
    _ = unsafe read(wakeDescriptor, &value, 8)
    for task in mailbox.takeAll() { task(self) }
  }
}
