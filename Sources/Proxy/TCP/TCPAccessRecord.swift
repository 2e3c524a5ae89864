import Transport

/// What the access log says of a connection that was not HTTP.
struct TCPAccessRecord {
  /// Of the loop's clock.
  let startNanoseconds: Int64
  var endNanoseconds: Int64
  /// The client, as a PROXY protocol header names it.
  let peer: SocketAddress
  var local: SocketAddress?
  /// What the client asked for; empty without TLS.
  var serverName: [UInt8] = []
  var clusterName: [UInt8] = []
  var upstream: SocketAddress?
  var upstreamLocal: SocketAddress?
  var flags: ResponseFlags = []
  var details: StaticString = ""
  /// The words of the kernel, of OpenSSL or of a forward proxy.
  var failureReason: String?
  /// Application bytes from and to the client.
  var bytesReceived = 0
  var bytesSent = 0

  init(startNanoseconds: Int64, peer: SocketAddress) {
    self.startNanoseconds = startNanoseconds
    endNanoseconds = startNanoseconds
    self.peer = peer
  }

  var durationMilliseconds: Int { Int((endNanoseconds - startNanoseconds) / 1_000_000) }
}
