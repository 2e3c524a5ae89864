/// Looks for paths by what two rules say of them.
enum PathSearch {
  private static let slash = TextLanguage.symbol(SymbolSet([UInt8(ascii: "/")]))
  /// Every path.
  static let paths = slash.followed(by: .anything)
  /// Those that no normalisation changes: no empty segments, none that begins with a dot.
  private static let tidy: TextLanguage = {
    let inner = SymbolSet.path.subtracting(SymbolSet("/%\\;".utf8))
    let start = TextLanguage.symbol(inner.subtracting(SymbolSet(".".utf8)))
    let segment = slash.followed(by: start).followed(by: .repeated(.symbol(inner)))
    return TextLanguage.repeated(segment).followed(by: TextLanguage.empty.or(slash))
  }()

  /// A path, a tidy one if possible.
  static func path(in wanted: [TextLanguage], notIn unwanted: [TextLanguage] = []) -> String? {
    for kind in [tidy, paths] {
      if case .found(let path) = TextLanguage.text(in: [kind, paths] + wanted, notIn: unwanted, of: .path) {
        return path
      }
    }
    return nil
  }

  /// Whether there is no path in `wanted` that is in none of `unwanted`, for certain.
  static func isNone(in wanted: TextLanguage, notIn unwanted: [TextLanguage]) -> Bool {
    TextLanguage.text(in: [paths, wanted], notIn: unwanted, of: .path) == .none
  }

  /// Paths that only one of two rules takes, that both take, and that only one of two rewrites changes.
  static func paths(_ first: WitnessRule, _ second: WitnessRule) -> [String] {
    guard let left = first.pathLanguage, let right = second.pathLanguage,
      !TextLanguage.areDisjoint(first.pathStart, second.pathStart)
    else { return [] }
    var found: [String?] = []
    if left != right {
      found = [path(in: [left], notIn: [right]), path(in: [right], notIn: [left]), path(in: [left, right])]
    }
    for (one, other) in [(first, second), (second, first)] {
      guard let rewrite = one.rewriteLanguage else { continue }
      found.append(path(in: [left, right, rewrite]))
      if let others = other.rewriteLanguage, others != rewrite {
        found.append(path(in: [left, right, rewrite], notIn: [others]))
      }
      found.append(path(in: [left, right], notIn: [rewrite]))
    }
    return found.compactMap { $0 }
  }
}
