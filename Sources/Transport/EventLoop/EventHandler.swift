import CLinux

/// What the kernel said about a file descriptor.
@frozen
public struct ReadyEvents: OptionSet {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = ReadyEvents(rawValue: 0x001)  // EPOLLIN
  package static let writable = ReadyEvents(rawValue: 0x004)  // EPOLLOUT
  package static let error = ReadyEvents(rawValue: 0x008)  // EPOLLERR
  package static let hangUp = ReadyEvents(rawValue: 0x010)  // EPOLLHUP
  package static let peerClosed = ReadyEvents(rawValue: 0x2000)  // EPOLLRDHUP
  /// Of all loops that watch the same listening socket one is woken, not all (EPOLLEXCLUSIVE).
  package static let exclusive = ReadyEvents(rawValue: 1 << 28)
  /// Report changes, not states: a descriptor is registered once and never modified (EPOLLET).
  package static let edgeTriggered = ReadyEvents(rawValue: 1 << 31)
}

/// Something that an event loop calls back: a connection, a listener, a resolver socket.
///
/// Handlers belong to one loop for their whole life and are only ever touched on its thread.
/// (`open`, where all else is `package`, because Swift lets no other class be inherited from in another target.)
open class EventHandler {
  /// Whether its events are handled before those of others that came with them: answers free what new requests take.
  package final var goesFirst = false

  public init() {}

  /// Comes before `ready(_:)` of the same events, and before that of all others in the batch: a handler may read from its
  /// descriptor here, and leaves what that means to `ready(_:)`.
  open func receive(_ events: ReadyEvents) {}

  /// The descriptor that was registered for this handler changed its state.
  open func ready(_ events: ReadyEvents) {}

  /// The timer armed with `tag` has reached its deadline.
  open func timerFired(_ tag: UInt8) {}

  /// Asked for by `EventLoop.atEndOfTurn(_:)`: all events of this turn were handled.
  open func turnEnded() {}
}
