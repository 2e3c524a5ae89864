/// The rule that no two keys of a mapping are equal. Keys that are no scalars are refused by whoever reads the fields.
enum UniqueKeys {
  /// Mappings with fewer keys, which most are, are cheaper to compare than to hash.
  private static let few = 16

  /// Names the first key that stands in the mapping already.
  static func check(_ pairs: [(key: Node, value: Node)]) throws(YAMLError) {
    if pairs.count < few {
      for index in pairs.indices.dropFirst() {
        guard let key = pairs[index].key.scalar else { continue }
        for earlier in pairs[..<index] {
          guard let first = earlier.key.scalar, first.string == key.string else { continue }
          throw .duplicate(key: key.string, at: key.mark, first: first.mark)
        }
      }
    } else {
      var places: [String: Mark] = [:]
      places.reserveCapacity(pairs.count)
      for pair in pairs {
        guard let key = pair.key.scalar else { continue }
        if let first = places.updateValue(key.mark, forKey: key.string) {
          throw .duplicate(key: key.string, at: key.mark, first: first)
        }
      }
    }
  }
}
