extension TextLanguage {
  /// Whether there is a text.
  enum Search: Equatable {
    case found(String)
    /// There is none, for certain.
    case none
    /// The search gave up.
    case unknown
  }

  /// States that a search looks at before it gives up.
  private static let maxStates = 1500

  /// The shortest text that is in all of `wanted` and in none of `unwanted`; among the shortest, one of the plainest
  /// characters.
  static func text(
    in wanted: [TextLanguage], notIn unwanted: [TextLanguage] = [], of alphabet: SymbolSet = .all
  ) -> Search {
    struct State: Hashable {
      let wanted: [TextLanguage]
      let unwanted: [TextLanguage]
    }
    let symbols = representatives(wanted + unwanted, of: alphabet)
    var states = [State(wanted: wanted, unwanted: unwanted)]
    var origins: [(state: Int, symbol: UInt8)] = [(-1, 0)]
    var known = Set(states)
    var next = 0
    while next < states.count {
      let state = states[next]
      if state.wanted.allSatisfy(\.hasEmptyText), !state.unwanted.contains(where: \.hasEmptyText) {
        return .found(text(endingAt: next, origins))
      }
      for symbol in symbols {
        let other = State(
          wanted: state.wanted.map { $0.after(symbol) }, unwanted: state.unwanted.map { $0.after(symbol) })
        if other.wanted.contains(.nothing) || other.unwanted.contains(.anything) { continue }
        guard known.insert(other).inserted else { continue }
        guard states.count < maxStates else { return .unknown }
        states.append(other)
        origins.append((next, symbol))
      }
      next += 1
    }
    return .none
  }

  private static func text(endingAt end: Int, _ origins: [(state: Int, symbol: UInt8)]) -> String {
    var symbols: [UInt8] = []
    var state = end
    while state > 0 {
      symbols.append(origins[state].symbol)
      state = origins[state].state
    }
    return symbols.reversed().map { $0 == SymbolSet.foreign ? "é" : String(UnicodeScalar($0)) }.joined()
  }

  /// People like these best.
  private static let preference = Array("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_/.".utf8)

  /// One character of each kind that the languages tell apart, the plainest first.
  private static func representatives(_ languages: [TextLanguage], of alphabet: SymbolSet) -> [UInt8] {
    var sets: Set<SymbolSet> = []
    for language in languages { language.addSets(to: &sets) }
    let all = Array(sets)
    var kinds: Set<[Bool]> = []
    return (preference + (UInt8(0)..<128).filter { !preference.contains($0) }).filter { symbol in
      alphabet.contains(symbol) && kinds.insert(all.map { $0.contains(symbol) }).inserted
    }
  }
}
