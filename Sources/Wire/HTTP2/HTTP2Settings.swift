/// What we allow a peer, and announce to it (RFC 9113, section 6.5.2).
package struct HTTP2Settings: Sendable {
  /// Streams that the peer may have open at a time.
  package var maxConcurrentStreams: UInt32 = 128
  /// Bytes of a body that a peer may send ahead of us, a stream: what we must be able to hold for it.
  package var streamWindowBytes: Int32 = 128 * 1024
  /// The same for all streams of a connection together.
  package var connectionWindowBytes: Int32 = 1 << 20
  /// Name, value and 32 bytes for each field, as RFC 9113 counts, and how many fields.
  package var maxHeaderBytes = 60 * 1024
  package var maxHeaderCount = 100

  package init() {}
}
