package enum TLSProgress { case done(Int), wantRead, wantWrite, closed, failed }
open class TLSChainSelector { package init() {}; open func select(_ name: UnsafeRawBufferPointer) -> Int32 { -1 } }
package final class TLSListenerContext {}
package final class TLSClientContext {}
package final class TLSSession {
  package init(accepting: TLSListenerContext, descriptor: Int32) {}
  package init(connecting: TLSClientContext, descriptor: Int32, serverName: String?) {}
  package func withServerName<R>(_ body: (RawSpan) -> R) -> R { let e: [UInt8] = []; return unsafe body(e.span.bytes) }
  package func socketBecameReadable() {}
  package func handshake() -> TLSProgress { .failed }
  package func read(into buffer: inout ByteBuffer) -> TLSProgress { .failed }
  package func write(_ bytes: RawSpan) -> TLSProgress { .failed }
  package func shutdown() -> TLSProgress { .failed }
  package func releaseIdleBuffers() {}
  package var failure: String { "" }
}
package struct DNSAnswer { package let addresses: [SocketAddress]; package let lifetimeSeconds: Int; package let problem: String?
 package init(addresses: [SocketAddress], lifetimeSeconds: Int, problem: String?) { self.addresses = addresses; self.lifetimeSeconds = lifetimeSeconds; self.problem = problem }
 package var lifetimeMilliseconds: Int64 { Int64(lifetimeSeconds) * 1000 } }
package final class Resolver { package init(loop: EventLoop, servers: [String]) throws(SystemError) {}
 package func resolve(name: String, completion: @escaping (DNSAnswer) -> Void) {} }
package enum DNSRefreshPolicy { package static func pause(afterFailures: Int) -> Int64 { 1000 } }
