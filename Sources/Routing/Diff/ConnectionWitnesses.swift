import Wire

/// Makes up connections whose addresses lie in every part that ranges divide the address space into: whatever rules
/// say with these ranges, a connection that two configurations treat differently is among them.
enum ConnectionWitnesses {
  /// More than these are not combined: each address is then tried with one of the others.
  private static let maxCombinations = 10_000

  /// `base` with such addresses; itself alone when there are no ranges.
  static func connections(
    _ base: SampleRequest, destinations: [IPPrefix], sources: [IPPrefix]
  ) -> [SampleRequest] {
    let to = addresses(destinations)
    let from = addresses(sources)
    guard to.count * from.count <= maxCombinations else {
      return to.map { connection(base, to: $0, from: from[0]) } + from.map { connection(base, to: to[0], from: $0) }
    }
    return to.flatMap { address in from.map { connection(base, to: address, from: $0) } }
  }

  private static func connection(_ base: SampleRequest, to: IPAddress?, from: IPAddress?) -> SampleRequest {
    var connection = base
    connection.address = to
    connection.source = from
    return connection
  }

  /// Where the set of ranges that an address is in changes, it changes at the first address of a range or behind its
  /// last. The second address of a range comes first: people like it better than the network's.
  private static func addresses(_ ranges: [IPPrefix]) -> [IPAddress?] {
    guard !ranges.isEmpty else { return [nil] }
    var all: [IPAddress] = [IPAddress(v4: 0xC000_0201)]
    for range in ranges {
      if let second = range.first.next, range.contains(second) { all.append(second) }
      all.append(range.first)
      if let behind = range.last.next { all.append(behind) }
    }
    var seen: Set<IPAddress> = []
    return all.filter { seen.insert($0).inserted }
  }
}

extension IPPrefix {
  /// The lowest address of the range.
  var first: IPAddress {
    guard !address.isV4 else { return IPAddress(v4: UInt32(truncatingIfNeeded: address.low & ~hostMask(32))) }
    let masks = v6HostMasks
    return IPAddress(v6High: address.high & ~masks.high, low: address.low & ~masks.low)
  }

  /// The highest address of the range.
  var last: IPAddress {
    guard !address.isV4 else { return IPAddress(v4: UInt32(truncatingIfNeeded: address.low | hostMask(32))) }
    let masks = v6HostMasks
    return IPAddress(v6High: address.high | masks.high, low: address.low | masks.low)
  }

  private var v6HostMasks: (high: UInt64, low: UInt64) {
    length <= 64 ? (Self.ones(64 - length), .max) : (0, Self.ones(128 - length))
  }

  private func hostMask(_ width: Int) -> UInt64 { Self.ones(width - length) }

  private static func ones(_ count: Int) -> UInt64 { count >= 64 ? .max : (1 << UInt64(count)) - 1 }
}

extension IPAddress {
  /// The address behind this one; nil for the last.
  var next: IPAddress? {
    if isV4 { return low == 0xFFFF_FFFF ? nil : IPAddress(v4: UInt32(truncatingIfNeeded: low) + 1) }
    if low < .max { return IPAddress(v6High: high, low: low + 1) }
    return high == .max ? nil : IPAddress(v6High: high + 1, low: 0)
  }
}
