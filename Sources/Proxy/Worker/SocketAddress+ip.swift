import Routing
import Transport
import Wire

extension SocketAddress {
  /// The address as `Wire` and `Routing` know it. A unix-domain socket has none: `0.0.0.0`, which no range but `0.0.0.0/0`
  /// has.
  var ip: IPAddress {
    guard family != .unix else { return IPAddress(v4: 0) }
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
  private var endpoint: ProxyProtocolHeader.Endpoint { .init(address: ip, port: port) }

  /// What a PROXY protocol header says of a connection; nil where one side is a unix-domain socket: then nothing is known.
  static func proxyAddresses(from source: SocketAddress, to destination: SocketAddress) -> ProxyProtocolHeader
    .Addresses?
  {
    guard source.family != .unix, destination.family != .unix else { return nil }
    return .init(source: source.endpoint, destination: destination.endpoint)
  }
}
