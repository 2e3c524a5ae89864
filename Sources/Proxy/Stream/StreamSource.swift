import Transport
import Wire

/// Where a request came in. Trivial; filled once a connection, copied once a request.
package struct StreamSource {
  /// The listener in the generation's snapshot.
  package var listener: Int32 = -1
  /// The filter chain, -1 on a plaintext listener.
  package var chain: Int32 = -1
  /// The route configuration.
  package var routeConfiguration: Int32 = -1
  /// The client.
  package var peer = SocketAddress(v4: 0, port: 0)
  /// Our side of the client's connection.
  package var local = SocketAddress(v4: 0, port: 0)
  /// The client's connection is encrypted.
  package var isTLS = false
  /// The client showed a certificate that was verified.
  package var hasVerifiedClient = false

  package init() {}

  /// What a PROXY protocol header to an upstream says.
  var proxyAddresses: ProxyProtocolHeader.Addresses? { SocketAddress.proxyAddresses(from: peer, to: local) }
}
