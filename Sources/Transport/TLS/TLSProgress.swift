/// What a TLS operation came to.
package enum TLSProgress: Equatable {
  /// So many bytes were read or written; 0 for a finished handshake.
  case done(Int)
  /// Go on when the socket is readable.
  case wantRead
  /// Go on when the socket is writable.
  case wantWrite
  /// The peer has closed; `TLSSession.isTruncated` says whether it did so without saying goodbye.
  case closed
  /// It broke; `TLSSession.failure` says why.
  case failed
}
