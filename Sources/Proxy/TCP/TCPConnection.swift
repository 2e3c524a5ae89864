import Transport

/// One side of a proxied TCP connection: what both sides do.
///
/// Bytes are not stored between the sides. What one side has received it offers to the other, which takes what it can send;
/// the rest stays in the input buffer, and a full buffer is not read into: the sender waits. An end travels the same way,
/// behind the last byte: each direction ends by itself, and the connection ends when both have.
class TCPConnection: Connection {
  /// The other side, once bytes may flow.
  final var partner: Ref<TCPConnection>?
  /// Our end was sent: nothing more goes out here.
  final private(set) var hasEndedOutput = false
  private final var endsOutput = false
  private final var shutsDown = true

  // MARK: For subclasses

  /// Bytes went from one side to the other.
  func moved() {}

  /// One direction has ended on this side.
  func outputEnded() {}

  /// Takes bytes of the other side, in this side's coding; returns how many.
  func take(_ span: RawSpan) -> Int { send(span) }

  /// Writes what this side's coding needs behind the last byte; false when that is the end, not that of the connection.
  func writeEnd() -> Bool { true }

  /// Offers bytes to the other side once more.
  func pumpAgain() { pump() }

  // MARK: Bytes

  override func inputAvailable() { pumpAgain() }

  /// Offers what was received to the other side, and the end behind it.
  final func pump() {
    guard let partner, state == .open else { return }
    if !input.isEmpty {
      let taken = withInput { bytes in partner.with { $0.take(bytes) } }
      guard state == .open else { return }
      if taken > 0 {
        input.consume(taken)
        moved()
      }
    }
    guard inputEnded, input.isEmpty else { return }
    if let inputFailure { return fail(.reset(inputFailure)) }
    partner.with { $0.endAfterOutput() }
  }

  /// Goes on after the other side could not take everything.
  final func resume() {
    guard state == .open else { return }
    pumpAgain()
    resumeInput()
    if state == .open { input.releaseIfEmpty() }
  }

  override func outputDrained() {
    if endsOutput { return finishOutput() }
    moved()
    partner?.with { $0.resume() }
  }

  // MARK: Ends

  /// Ends this side's output when all of it is sent.
  final func endAfterOutput() {
    guard !endsOutput, state == .open else { return }
    endsOutput = true
    shutsDown = writeEnd()
    finishOutput()
  }

  private final func finishOutput() {
    guard !hasEndedOutput else { return }
    if shutsDown { endOutput() } else { flush() }
    // What the kernel did not take yet goes first; `outputDrained()` comes back here.
    guard state == .open, output.isEmpty else { return }
    hasEndedOutput = true
    outputEnded()
  }
}
