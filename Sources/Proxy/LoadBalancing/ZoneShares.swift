import Routing
import Transport

/// How much of the load stays in the instance's zone (Envoy's zone aware routing). How many gateways there are in which
/// zone is not known to one of them: they are taken to be spread evenly over the zones that the endpoints are in.
struct ZoneShares {
  /// The number of the instance's locality in the cluster.
  let own: Int32
  let minClusterSize: Int

  /// The weights of localities; nil where zones are not looked at.
  func weights(_ endpoints: [Ref<UpstreamEndpoint>]) -> [Int32: UInt64]? {
    var sizes: [Int32: Int] = [:]
    for endpoint in endpoints { endpoint.with { sizes[$0.locality, default: 0] += 1 } }
    guard endpoints.count >= minClusterSize, sizes.count > 1, let near = sizes[own] else { return nil }
    // In units of endpoints times zones, to stay with whole numbers: an even share is `total`.
    let total = endpoints.count
    let zones = sizes.count
    if near * zones >= total { return [own: 1] }
    // What the zone can take of what its gateways send stays; the rest goes where there is more than an even share.
    var weights = [own: UInt64(near * zones)]
    let surplus = sizes.mapValues { max(0, $0 * zones - total) }
    let sum = surplus.values.reduce(0, +)
    let rest = total - near * zones
    for (zone, more) in surplus where zone != own { weights[zone] = UInt64(rest * more / max(1, sum)) }
    return weights
  }
}
