import CLinux

/// What goes out: gathered in `output` until the end of the turn, or written from where it lies.
extension Connection {
  /// Sends `span`, or as much as fits: returns the number of bytes accepted. When it is less than all,
  /// `outputDrained()` follows.
  package func send(_ span: RawSpan) -> Int {
    guard state == .open else { return 0 }
    if output.count + span.byteCount <= Self.gatherBytes {
      guard output.append(span) else { return 0 }
      scheduleFlush()
      return span.byteCount
    }
    guard !isOutputBlocked else { return 0 }
    return tls == nil ? sendPlain(span) : sendEncrypted(span)
  }

  /// Writes into `output` (at most `bytes`), to leave at the end of the turn. False when there is no room.
  package func gather(_ bytes: Int, _ body: (inout MutableRawSpan) -> Int) -> Bool {
    guard state == .open, output.write(bytes, body) else { return false }
    scheduleFlush()
    return true
  }

  /// Sends the very first bytes of a connection that we opened, in front of TLS. They must be few: the kernel takes them
  /// whole or the connection fails.
  package func sendFirst(_ span: RawSpan) {
    let sent = unsafe span.withUnsafeBytes { unsafe shim_send(descriptor, $0.baseAddress, $0.count) }
    if sent != span.byteCount { fail(.connect("the first bytes could not be sent")) }
  }

  /// Whether another message may be put into `output` without piling up behind a slow reader.
  package var acceptsOutput: Bool { output.count < Self.gatherBytes }

  /// Sends what is gathered now instead of at the end of the turn.
  package func flush() {
    guard state == .open, !isOutputBlocked, !output.isEmpty else { return }
    if tls == nil { flushPlain() } else { flushEncrypted() }
    if output.isEmpty { output.releaseIfEmpty() }
  }

  func scheduleFlush() {
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    loop.atEndOfTurn(self)
  }

  func flushPlain() {
    let sent = unsafe output.lend { unsafe shim_send(descriptor, $0, $1) }
    guard sent >= 0 else { return writeFailed(Int32(-sent)) }
    bytesSent += sent
    output.consume(sent)
    if !output.isEmpty { isOutputBlocked = true }
  }

  func flushEncrypted() {
    guard let tls else { return }
    while !output.isEmpty {
      switch tls.write(output.bytes) {
      case .done(let count):
        bytesSent += count
        output.consume(count)
      case .wantWrite, .wantRead:
        isOutputBlocked = true
        return
      case .closed, .failed: return outputBroke(tls.failure)
      }
    }
  }

  func sendPlain(_ span: RawSpan) -> Int {
    let gathered = output.count
    let sent = unsafe output.lend { first, firstCount in
      unsafe span.withUnsafeBytes { second in
        unsafe shim_send2(descriptor, first, firstCount, second.baseAddress, second.count)
      }
    }
    guard sent >= 0 else {
      writeFailed(shim_errno())
      return 0
    }
    bytesSent += sent
    guard sent >= gathered else {
      output.consume(sent)
      isOutputBlocked = true
      return 0
    }
    output.removeAll()
    output.releaseIfEmpty()
    if sent - gathered < span.byteCount { isOutputBlocked = true }
    return sent - gathered
  }

  func sendEncrypted(_ span: RawSpan) -> Int {
    // Fill the gathered bytes up to a whole record, then encrypt from where the bytes lie. There may be more than a record of
    // them: heads and the framing of chunks are gathered whatever waits.
    var accepted = 0
    if !output.isEmpty {
      let piece = max(0, min(span.byteCount, Self.gatherBytes - output.count))
      guard output.append(span.extracting(first: piece)) else { return 0 }
      accepted = piece
      flush()
    }
    while accepted < span.byteCount, state == .open, !isOutputBlocked, let tls {
      let piece = span.extracting(accepted..<min(span.byteCount, accepted + Self.gatherBytes))
      switch tls.write(piece) {
      case .done(let count):
        bytesSent += count
        accepted += count
      case .wantWrite, .wantRead:
        // OpenSSL has begun this record and must be given the same bytes again: keep them.
        isOutputBlocked = true
        if output.append(piece) { accepted += piece.byteCount }
      case .closed, .failed:
        outputBroke(tls.failure)
      }
    }
    return accepted
  }

  func writeFailed(_ code: Int32) {
    if code == EAGAIN || code == EINTR || code == ENOBUFS {
      isOutputBlocked = true
    } else {
      outputBroke(SystemError.text(of: code))
    }
  }

  /// Nothing more can be sent. The peer may have sent its last words before: they are read, and then the connection fails.
  func outputBroke(_ reason: String) {
    guard hearsPeerOut else { return fail(.reset(reason)) }
    guard outputFailure == nil else { return }
    outputFailure = reason
    isOutputBlocked = true
    output.removeAll()
    guard !inputEnded else { return inputBroke(reason) }
    peerHasClosed = true
    mayHaveInput = true
    tls?.socketBecameReadable(peerClosed: true)
    loop.runAgain(self)
  }

  /// Nothing more can be received.
  func inputBroke(_ reason: String) {
    guard inputFailure == nil else { return }
    guard state == .open, outlives(reason) else { return fail(.reset(reason)) }
    inputFailure = reason
    isOutputBlocked = true
    output.removeAll()
    endInput()
  }

  /// Bytes that the peer's side of the connection has not confirmed yet.
  package var undeliveredBytes: Int { max(0, Int(shim_unsent_bytes(descriptor))) }
}
