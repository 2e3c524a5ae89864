import CLinux

/// What comes in: read into `input` as long as there is room and the kernel has more.
extension Connection {
  /// Reads on, after bytes of a full `input` were consumed.
  package func resumeInput() {
    guard state == .open, mayHaveInput, !isReading else { return }
    readInput()
  }

  func readInput() {
    isReading = true
    defer { isReading = false }
    var reads = 0
    if hasReceived {
      hasReceived = false
      reads = 1
      if !input.isEmpty || inputEnded { inputAvailable() }
    }
    while mayHaveInput, state == .open, !input.isFull, !inputEnded {
      guard reads < Self.readsPerTurn else { return loop.runAgain(self) }
      reads += isBulk ? Self.bulkReadCost : 1
      let before = input.count
      receive()
      guard state == .open else { return }
      if input.count > before || inputEnded { inputAvailable() }
    }
    guard state == .open else { return }
    input.releaseIfEmpty()
    if tls != nil { watchForQuiet() }
  }

  func watchForQuiet() {
    lastInput = loop.now
    if !quietTimer.isArmed { loop.arm(&quietTimer, after: Self.quietMilliseconds, owner: self, tag: Self.quietTag) }
  }

  func quietTimerFired() {
    quietTimer = .none
    guard state == .open, let tls else { return }
    let rest = lastInput + Self.quietMilliseconds - loop.now
    if rest > 0 || !output.isEmpty {
      loop.arm(&quietTimer, after: max(rest, Self.quietMilliseconds / 4), owner: self, tag: Self.quietTag)
    } else {
      tls.releaseIdleBuffers()
      becameQuiet()
    }
  }

  func receive() {
    if let tls {
      switch tls.read(into: &input) {
      case .done(let count): bytesReceived += count
      case .wantRead, .wantWrite: mayHaveInput = false
      case .closed: endOfInput()
      case .failed: inputBroke(tls.failure)
      }
      return
    }
    if isBulk, input.isEmpty { input.enlarge() }
    var lent = 0
    let count = unsafe input.fill { block, room in
      lent = room
      return unsafe shim_recv(descriptor, block, room)
    }
    if count > 0 {
      bytesReceived += count
      isBulk = count == lent || count >= BufferPool.smallBytes
      // A short read means that the kernel has no more: the next edge will tell (epoll(7), question 9). Short of what
      // was lent, that is: while bytes wait at the front of the buffer, that is less than its room.
      if count < lent, !peerHasClosed { mayHaveInput = false }
    } else if count == 0 {
      endOfInput()
    } else {
      switch Int32(-count) {
      case EAGAIN: mayHaveInput = false
      case EINTR: break
      case let code: inputBroke(SystemError.text(of: code))
      }
    }
  }

  func endOfInput() {
    // The kernel tells of a reset once: whoever sends hears of it, whoever receives sees an end.
    if let outputFailure { inputBroke(outputFailure) } else { endInput() }
  }

  func endInput() {
    inputEnded = true
    mayHaveInput = false
  }
}
