import Routing

/// Finds an endpoint by hash: the same hash leads to the same endpoint, and most of them still do when endpoints come or
/// go.
enum HashTable {
  /// Sorted by hash; the first place at or after a hash is its endpoint's.
  case ring([Place])
  /// The endpoint of a hash is at its remainder.
  case maglev([Int32])

  /// A place of an endpoint on the ring.
  struct Place {
    let hash: UInt64
    let endpoint: Int32
  }

  /// An endpoint as tables see it: its address as text, and its share.
  struct Member {
    let name: [UInt8]
    let weight: UInt32
  }

  init(_ table: HashPolicy.Table, _ members: [Member]) {
    switch table {
    case .ring(let minimumSize): self = .ring(Self.ring(minimumSize, members))
    case .maglev(let size): self = .maglev(Self.maglev(size, members))
    }
  }

  /// The endpoint for a hash; nil without endpoints.
  func endpoint(for hash: UInt64) -> Int? {
    switch self {
    case .ring(let places):
      guard !places.isEmpty else { return nil }
      var low = 0
      var high = places.count
      while low < high {
        let middle = (low + high) / 2
        if places[middle].hash < hash { low = middle + 1 } else { high = middle }
      }
      return Int(places[low == places.count ? 0 : low].endpoint)
    case .maglev(let table):
      return table.isEmpty ? nil : Int(table[Int(hash % UInt64(table.count))])
    }
  }

  /// Places in proportion to weights; the lightest endpoint has at least its share of the minimum.
  private static func ring(_ minimumSize: Int, _ members: [Member]) -> [Place] {
    let total = members.reduce(0.0) { $0 + Double($1.weight) }
    guard total > 0, let lightest = members.map({ Double($0.weight) / total }).min() else { return [] }
    let scale = min((lightest * Double(max(1, minimumSize))).rounded(.up) / lightest, 8_388_608)
    var places: [Place] = []
    for (index, member) in members.enumerated() {
      let count = max(1, Int((Double(member.weight) / total * scale).rounded()))
      for number in 0..<count {
        let hash = XXHash64.hash(member.name + [0x5F] + Array("\(number)".utf8))
        places.append(Place(hash: hash, endpoint: Int32(index)))
      }
    }
    return places.sorted { $0.hash < $1.hash }
  }

  /// Endpoints take turns, by weight, in claiming the next free slot of their own permutation.
  private static func maglev(_ size: Int, _ members: [Member]) -> [Int32] {
    guard size > 1, let heaviest = members.map(\.weight).max() else { return [] }
    var table = [Int32](repeating: -1, count: size)
    var steps = members.map { member in
      (
        next: Int(XXHash64.hash(member.name) % UInt64(size)),
        skip: Int(XXHash64.hash(member.name, seed: 1) % UInt64(size - 1)) + 1, credit: 0.0
      )
    }
    var filled = 0
    while filled < size {
      for index in members.indices where filled < size {
        steps[index].credit += Double(members[index].weight) / Double(heaviest)
        guard steps[index].credit >= 1 else { continue }
        steps[index].credit -= 1
        while table[steps[index].next] >= 0 { steps[index].next = (steps[index].next + steps[index].skip) % size }
        table[steps[index].next] = Int32(index)
        filled += 1
      }
    }
    return table
  }
}
