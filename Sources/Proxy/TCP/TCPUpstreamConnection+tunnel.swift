import Transport
import Wire

/// Through a forward proxy.
extension TCPUpstreamConnection {
  /// Reads the proxy's answer; what follows it is the target's already.
  func readTunnelResponse() {
    guard let tunnel else { return }
    switch withInput({ tunnel.read($0) }) {
    case .needMore:
      if inputEnded { return fail(.connect("the forward proxy closed the connection without an answer")) }
      if input.isFull, !input.reserve(1) { fail(.connect("the forward proxy's answer is too large")) }
    case .refused(let reason): fail(.connect(reason))
    case .granted(let consumed):
      input.consume(consumed)
      carry()
      if phase == .carrying, !input.isEmpty || inputEnded { deliver() }
    }
  }

  /// Offers what the body of the proxy's answer holds to the client.
  func pumpDecoded() {
    guard let tunnel, let partner else { return }
    var trailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    while state == .open {
      switch withInput({ tunnel.reader.next($0, trailers: &trailers) }) {
      case .needMore(let consumed):
        input.consume(consumed)
        guard inputEnded else { return }
        if let inputFailure { return fail(.reset(inputFailure)) }
        guard tunnel.reader.endsWithInput else { return fail(.reset("the forward proxy's answer broke off")) }
        return partner.with { $0.endAfterOutput() }
      case .data(let offset, let count):
        let taken = withInput { bytes in partner.with { $0.take(bytes.extracting(offset..<offset + count)) } }
        guard state == .open else { return }
        input.consume(tunnel.reader.took(taken, at: offset))
        if taken > 0 { moved() }
        if taken < count { return }
      case .end(let consumed):
        input.consume(consumed)
        return partner.with { $0.endAfterOutput() }
      case .refused(let refusal):
        return fail(.reset("the forward proxy's answer is malformed: \(refusal.responseDetail)"))
      }
    }
  }
}
