import Routing
import Testing

@testable import Proxy

@Suite struct XXHash64Tests {
  @Test(
    arguments: [
      ("", 17_241_709_254_077_376_921), ("foo", 3_728_699_739_546_630_719), ("bar", 5_234_164_152_756_840_025),
      ("lyft", 4_400_747_396_090_729_504), ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64)])
  func `is xxHash64`(text: String, hash: UInt64) {
    #expect(XXHash64.hash(Array(text.utf8)) == hash)
  }
}

@Suite struct HashTableTests {
  private func members(_ weights: [UInt32]) -> [HashTable.Member] {
    weights.enumerated().map { .init(name: Array("10.0.0.\($0):80".utf8), weight: $1) }
  }

  /// How many of many hashes lead to each endpoint.
  private func counts(_ table: HashTable, endpoints: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: endpoints)
    for number in 0..<20_000 {
      guard let endpoint = table.endpoint(for: XXHash64.hash(Array("\(number)".utf8))) else { continue }
      counts[endpoint] += 1
    }
    return counts
  }

  @Test(arguments: [HashPolicy.Table.ring(minimumSize: 1024), .maglev(size: 65_537)])
  func `endpoints get their share`(table: HashPolicy.Table) {
    let even = counts(HashTable(table, members([1, 1, 1, 1])), endpoints: 4)
    #expect(even.allSatisfy { $0 > 3500 && $0 < 6700 }, "\(even)")
    let weighted = counts(HashTable(table, members([3, 1])), endpoints: 2)
    #expect(weighted[0] > 13_000 && weighted[0] < 17_000, "\(weighted)")
  }

  @Test(arguments: [HashPolicy.Table.ring(minimumSize: 1024), .maglev(size: 65_537)])
  func `a hash stays with its endpoint when another leaves`(table: HashPolicy.Table) {
    let before = HashTable(table, members([1, 1, 1, 1, 1]))
    let after = HashTable(table, members([1, 1, 1, 1]))
    let hashes = (0..<5000).map { XXHash64.hash(Array("\($0)".utf8)) }.filter { before.endpoint(for: $0) != 4 }
    let moved = hashes.count { before.endpoint(for: $0) != after.endpoint(for: $0) }
    #expect(moved * 4 < hashes.count, "\(moved) of \(hashes.count)")
  }

  @Test(arguments: [HashPolicy.Table.ring(minimumSize: 1024), .maglev(size: 65_537)])
  func `one endpoint gets everything, none gets nothing`(table: HashPolicy.Table) {
    #expect(HashTable(table, members([7])).endpoint(for: .max) == 0)
    #expect(HashTable(table, []).endpoint(for: 1) == nil)
  }

  @Test func `a ring has at least the places that were asked for`() {
    guard case .ring(let places) = HashTable(.ring(minimumSize: 1000), members([1, 1, 1])) else {
      Issue.record("not a ring")
      return
    }
    #expect(places.count >= 1000 && places.count < 1010)
    #expect(zip(places, places.dropFirst()).allSatisfy { $0.hash <= $1.hash })
  }
}
