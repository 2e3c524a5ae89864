import Routing
import Transport
import Wire

extension SocketAddress {
  /// The address as `Wire` and `Routing` know it.
  var ip: IPAddress {
    let (high, low) = words
    return family == .v4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6High: high, low: low)
  }

  /// From an address on the wire.
  init(_ endpoint: ProxyProtocolHeader.Endpoint) {
    let address = endpoint.address
    self =
      address.isV4
      ? SocketAddress(v4: UInt32(truncatingIfNeeded: address.low), port: endpoint.port)
      : SocketAddress(v6High: address.high, low: address.low, port: endpoint.port)
  }

  /// As the PROXY protocol writes it.
  var endpoint: ProxyProtocolHeader.Endpoint { .init(address: ip, port: port) }
}
