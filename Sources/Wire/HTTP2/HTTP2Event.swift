/// Something that came in on an HTTP/2 connection. Trivial: heads and bytes are fetched from the session.
package struct HTTP2Event: Sendable {
  /// What it is.
  package enum Kind: UInt8, Sendable {
    /// A head is complete: a request's (server) or a response's, an interim one included (client).
    case head
    /// Bytes of a body: `offset` and `count` within the input that was given to `receive`.
    case data
    /// The trailers, which end the message.
    case trailers
    /// The message ended without trailers.
    case ended
    /// The stream is over, for both sides; `errorCode` says how. The last event of its slot.
    case closed
    /// The head is larger than we take: to be answered with 431 (server); the stream is being ended (client).
    case headTooLarge
    /// The peer takes no more streams; those above `streamID` were not processed and are closed with REFUSED_STREAM.
    case goAway
    /// The peer's settings changed.
    case settings
  }

  package let kind: Kind
  /// The message or the body ends with this.
  package var endsStream = false
  /// The number that the session gave to the stream, below its limit of streams.
  package var slot: Int32 = -1
  package var streamID: Int32 = 0
  package var offset: Int32 = 0
  package var count: Int32 = 0
  /// Where the head or the trailers are until they are taken.
  package var message: Int32 = -1
  package var errorCode = HTTP2ErrorCode.noError

  init(_ kind: Kind) {
    self.kind = kind
  }

  /// The same of another kind.
  init(_ kind: Kind, like other: HTTP2Event) {
    self.kind = kind
    endsStream = other.endsStream
    slot = other.slot
    streamID = other.streamID
    message = other.message
  }
}
