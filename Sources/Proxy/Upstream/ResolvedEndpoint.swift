import Transport

/// An address that requests of a cluster may go to.
package struct ResolvedEndpoint: Hashable, Sendable {
  package let address: SocketAddress
  /// The share in weighted balancing, at least 1.
  package let weight: UInt32
  /// `region/zone/subzone`, empty when it is not known.
  package let locality: String
  /// Used while those of lower numbers can take the traffic.
  package var priority: Int32 = 0
  /// The share of its locality; 0 where localities have none of their own.
  package var localityWeight: UInt32 = 0

  package init(address: SocketAddress, weight: UInt32, locality: String = "") {
    self.address = address
    self.weight = weight
    self.locality = locality
  }
}
