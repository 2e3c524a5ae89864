/// Hosts and patterns, found by those that overlap with them at a cost that does not grow with their number.
struct HostIndex {
  private var all: Set<String> = []
  /// The wildcards that cover one of them.
  private var above: Set<String> = []

  /// - Parameter host: in small letters.
  mutating func insert(_ host: String) {
    guard all.insert(host).inserted else { return }
    above.formUnion(Self.wildcards(above: host))
  }

  /// Whether some name is one of a host here and of this one.
  func overlaps(_ host: String) -> Bool {
    covers(host) || host.hasPrefix("*") && above.contains(host)
  }

  /// Whether all names of a host are those of one here.
  func covers(_ host: String) -> Bool {
    all.contains(host) || Self.wildcards(above: host).contains(where: all.contains)
  }

  /// `*.b.c`, `*.c`, `*` for `a.b.c` and for `*.a.b.c`.
  static func wildcards(above name: String) -> [String] {
    guard name != "*" else { return [] }
    var result: [String] = []
    var rest = name.hasPrefix("*.") ? name.dropFirst(2) : Substring(name)
    while let dot = rest.firstIndex(of: ".") {
      rest = rest[rest.index(after: dot)...]
      result.append("*.\(rest)")
    }
    return result + ["*"]
  }
}
