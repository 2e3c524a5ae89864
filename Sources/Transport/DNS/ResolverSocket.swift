/// A socket that c-ares owns, watched for it.
final class ResolverSocket: EventHandler {
  private let descriptor: Int32
  private let resolver: Resolver
  private let loop: EventLoop
  private var isWriting: Bool

  init(_ descriptor: Int32, resolver: Resolver, loop: EventLoop, writable: Bool) {
    self.descriptor = descriptor
    self.resolver = resolver
    self.loop = loop
    isWriting = writable
    super.init()
    loop.adopt(self)
    // Should the kernel refuse, the question runs into its timeout.
    try? loop.register(descriptor, self, for: writable ? [.readable, .writable] : .readable)
  }

  /// c-ares has or has not more to send.
  func watch(writable: Bool) {
    isWriting = writable
    rearm()
  }

  override func ready(_ events: ReadyEvents) {
    // An event of this turn may come after c-ares closed the socket in the same turn.
    guard resolver.watches(self, descriptor) else { return }
    let readable = !events.isDisjoint(with: [.readable, .error, .hangUp, .peerClosed])
    resolver.process(descriptor, readable: readable, writable: events.contains(.writable))
    // c-ares reads one piece of a TCP answer a call: ask for the edge again, in case there is more.
    if resolver.watches(self, descriptor) { rearm() }
  }

  /// Stops watching; c-ares closes the descriptor after.
  func stop() {
    loop.unregister(descriptor)
    loop.release(self)
  }

  private func rearm() {
    loop.modify(descriptor, self, for: isWriting ? [.readable, .writable] : .readable)
  }
}
