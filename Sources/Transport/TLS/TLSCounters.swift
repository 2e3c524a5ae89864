/// What happened to the handshakes of a context, since it was made.
package struct TLSCounters: Sendable, Equatable {
  /// Handshakes that were finished.
  package internal(set) var handshakes = 0
  /// Those of them that an earlier session shortened.
  package internal(set) var resumed = 0
  /// Refused: no server owns the name that the client asked for.
  package internal(set) var unknownServerNames = 0
  /// Refused: the server has no usable certificate.
  package internal(set) var missingCredentials = 0
  /// Failed: the peer's certificate was missing or did not pass.
  package internal(set) var verificationFailures = 0
  /// Failed: protocol errors, alerts, and everything else.
  package internal(set) var otherFailures = 0
  /// The peer went away in the middle.
  package internal(set) var abandoned = 0
}
