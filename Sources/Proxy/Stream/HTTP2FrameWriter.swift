import Transport
import Wire

/// Puts on a connection what its HTTP/2 session has to send.
extension Connection {
  /// Bytes gathered before they are written in the middle of a turn.
  private static var frameGatherBytes: Int { 64 * 1024 }

  /// Writes frames until the session has no more, or the peer does not read.
  ///
  /// - Parameter body: writes `count` bytes of the body of `slot` with `writeBodyFrame`; false when it has none such.
  /// - Returns: false when the session or the connection is at its end, and must be closed.
  func writeFrames(of session: HTTP2Session, body: (_ slot: Int32, _ count: Int) -> Bool) -> Bool {
    while state == .open, !isOutputBlocked {
      if output.count >= Self.frameGatherBytes {
        flush()
        continue
      }
      switch session.nextOutput() {
      case .none: return true
      case .failed: return false
      case .bytes(let count):
        let isWritten = gather(count) { output in
          session.withOutput {
            var writer = ByteWriter()
            writer.write($0, into: &output)
            return writer.position
          }
        }
        guard isWritten else { return false }
      case .data(let slot, let count):
        guard body(slot, count) else { return false }
      }
    }
    return true
  }

  /// Writes one DATA frame with `bytes`; false when there is no room.
  func writeBodyFrame(_ bytes: RawSpan, of session: HTTP2Session) -> Bool {
    gather(bytes.byteCount + 9) { output in
      var writer = ByteWriter(position: session.writeDataHeader(into: &output))
      writer.write(bytes, into: &output)
      return writer.position
    }
  }

  /// The same with the first `count` bytes of `outgoing`, which are consumed.
  func writeBodyFrame(_ count: Int, from outgoing: inout ByteBuffer, of session: HTTP2Session) -> Bool {
    guard outgoing.count >= count else { return false }
    let isWritten = outgoing.withBytes { writeBodyFrame($0.extracting(first: count), of: session) }
    outgoing.consume(count)
    outgoing.releaseIfEmpty()
    return isWritten
  }
}
