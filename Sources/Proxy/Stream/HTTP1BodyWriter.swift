import Transport
import Wire

/// Puts a body on an HTTP/1 connection, in the framing that its head announced.
///
/// A chunk is announced with the size of what the source offers; when the connection takes less, the rest is owed and
/// the next bytes that the source offers pay it.
struct HTTP1BodyWriter {
  private var framing = BodyFraming.none
  private var owedInChunk = 0

  /// Room for a chunk's size in hexadecimal and two line ends.
  private static let chunkOverhead = 20

  /// Begins a body.
  mutating func begin(_ framing: BodyFraming) {
    self.framing = framing
    owedInChunk = 0
  }

  /// Sends `span`, or as much as the connection takes: returns the number of bytes accepted.
  mutating func send(_ span: RawSpan, on connection: Connection) -> Int {
    guard case .chunked = framing else { return connection.send(span) }
    var accepted = 0
    while accepted < span.byteCount {
      if owedInChunk == 0 {
        guard !connection.isOutputBlocked else { return accepted }
        let size = span.byteCount - accepted
        guard connection.gather(Self.chunkOverhead, { HTTP1.writeChunkHeader(size, into: &$0) }) else {
          return accepted
        }
        owedInChunk = size
      }
      let piece = span.extracting(accepted..<accepted + min(owedInChunk, span.byteCount - accepted))
      let sent = connection.send(piece)
      owedInChunk -= sent
      accepted += sent
      if owedInChunk == 0 { _ = connection.gather(2) { HTTP1.writeLineEnd(into: &$0) } }
      if sent < piece.byteCount { return accepted }
    }
    return accepted
  }

  /// Ends the body; `trailers` are sent if the framing allows it.
  mutating func end(trailers: borrowing HeaderBlock, on connection: Connection) {
    guard case .chunked = framing else { return }
    let size = HTTP1.lastChunkByteCount(trailers)
    _ = connection.gather(size) { HTTP1.writeLastChunk(trailers, into: &$0) }
  }
}
