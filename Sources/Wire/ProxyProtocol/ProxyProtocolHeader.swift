/// What a load balancer says about a connection before its first byte: HAProxy's PROXY protocol, versions 1 and 2.
package struct ProxyProtocolHeader: Equatable, Sendable {
  /// The two forms.
  package enum Version: UInt8, Sendable {
    /// One line of text.
    case v1
    /// Binary.
    case v2
  }

  /// An address with a port.
  package struct Endpoint: Hashable, Sendable {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
      self.address = address
      self.port = port
    }
  }

  /// Who is connected with whom.
  package struct Addresses: Hashable, Sendable {
    package var source: Endpoint
    package var destination: Endpoint

    package init(source: Endpoint, destination: Endpoint) {
      self.source = source
      self.destination = destination
    }
  }

  package var version: Version
  /// nil when the sender speaks for itself (LOCAL, a health check) or does not know (UNKNOWN, unix sockets): the
  /// addresses of the connection itself count then.
  package var addresses: Addresses?

  package init(version: Version, addresses: Addresses?) {
    self.version = version
    self.addresses = addresses
  }
}
