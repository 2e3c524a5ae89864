package enum TLSProgress { case done(Int), wantRead, wantWrite, closed, failed }
package final class TLSSession {
  package func socketBecameReadable() {}
  package func handshake() -> TLSProgress { .failed }
  package func read(into buffer: inout ByteBuffer) -> TLSProgress { .failed }
  package func write(_ bytes: RawSpan) -> TLSProgress { .failed }
  package func shutdown() -> TLSProgress { .failed }
  package func releaseIdleBuffers() {}
  package var failure: String { "" }
}
