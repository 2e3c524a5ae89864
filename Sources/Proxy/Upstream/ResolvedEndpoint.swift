import Transport

/// An address that requests of a cluster may go to.
package struct ResolvedEndpoint: Hashable, Sendable {
  package let address: SocketAddress
  /// The share in weighted balancing, at least 1.
  package let weight: UInt32
  /// `region/zone/subzone`, empty when it is not known.
  package let locality: String

  package init(address: SocketAddress, weight: UInt32, locality: String = "") {
    self.address = address
    self.weight = weight
    self.locality = locality
  }
}
