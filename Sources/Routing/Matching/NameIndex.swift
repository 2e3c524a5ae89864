import Wire

/// Finds hosts: exact by hash, then the longest wildcard suffix, then `*`. One table serves all scopes (route
/// configurations, or TLS listeners) of a snapshot; a look-up allocates nothing.
final class NameIndex: Sendable {
  private struct Entry {
    var hash: UInt64
    var scope: Int32
    var value: Int32
    var start: Int32
    var count: Int32
  }

  private let entries: [Entry]
  private let table: [Int32]
  private let bytes: [UInt8]
  private let mask: Int
  private let matchAll: [Int32: Int32]
  private let catchAll: [Int32]
  /// Whether a scope has names other than `*`, and wildcards among them.
  private let scopeKinds: [UInt8]
  private static let hasExact: UInt8 = 1
  private static let hasWildcard: UInt8 = 2

  /// A name of a scope: `httpbin.example.com`, `*.example.com`, or `*`.
  struct Name {
    let scope: Int32
    let name: String
    let value: Int32
  }

  /// The first of equal names wins.
  init(_ names: [Name]) {
    var entries: [Entry] = []
    var bytes: [UInt8] = []
    var matchAll: [Int32: Int32] = [:]
    var size = 8
    while size < names.count * 2 { size *= 2 }
    var table = [Int32](repeating: -1, count: size)
    for name in names {
      if name.name == "*" {
        if matchAll[name.scope] == nil { matchAll[name.scope] = name.value }
        continue
      }
      // A wildcard is stored as its suffix with the leading dot: `.example.com`.
      let text = Array(name.name.lowercased().utf8)
      let key = text.first == 0x2A ? Array(text.dropFirst()) : text
      let hash = Self.hash(key.span.raw, scope: name.scope)
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      var isNew = true
      while table[place] >= 0 {
        let entry = entries[Int(table[place])]
        if entry.hash == hash, entry.scope == name.scope,
          Array(bytes[Int(entry.start)..<Int(entry.start + entry.count)]) == key
        {
          isNew = false
          break
        }
        place = (place + 1) & (size - 1)
      }
      guard isNew else { continue }
      table[place] = Int32(entries.count)
      entries.append(
        Entry(
          hash: hash, scope: name.scope, value: name.value, start: Int32(bytes.count), count: Int32(key.count)))
      bytes += key
    }
    self.entries = entries
    self.table = table
    self.bytes = bytes
    self.matchAll = matchAll
    mask = size - 1
    let scopes = Int((names.map(\.scope).max() ?? -1) + 1)
    catchAll = (0..<scopes).map { matchAll[Int32($0)] ?? -1 }
    var kinds = [UInt8](repeating: 0, count: scopes)
    for name in names where name.name != "*" && name.scope >= 0 {
      kinds[Int(name.scope)] |= name.name.hasPrefix("*") ? Self.hasWildcard : Self.hasExact
    }
    scopeKinds = kinds
  }

  /// The value of the best name for `host` (without port, any case) in `scope`, -1 if there is none.
  func find(_ host: RawSpan, scope: Int32) -> Int32 {
    guard scope >= 0, Int(scope) < scopeKinds.count else { return -1 }
    let kinds = scopeKinds[Int(scope)]
    if kinds == 0 { return catchAll[Int(scope)] }
    let octets = host.octets
    // Keys with a leading dot are wildcards.
    if kinds & Self.hasExact != 0, !octets.isEmpty, octets[0] != 0x2E {
      let exact = lookUp(host, scope: scope)
      if exact >= 0 { return exact }
    }
    if kinds & Self.hasWildcard != 0 {
      for index in 0..<octets.count where octets[index] == 0x2E {
        // `*.example.com` does not match `.example.com`.
        guard index > 0 else { continue }
        let wildcard = lookUp(host.extracting(droppingFirst: index), scope: scope)
        if wildcard >= 0 { return wildcard }
      }
    }
    return catchAll[Int(scope)]
  }

  private func lookUp(_ key: RawSpan, scope: Int32) -> Int32 {
    let hash = Self.hash(key, scope: scope)
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place] >= 0 {
      let entry = entries[Int(table[place])]
      if entry.hash == hash, entry.scope == scope, equals(entry, key) { return entry.value }
      place = (place + 1) & mask
    }
    return -1
  }

  private func equals(_ entry: Entry, _ key: RawSpan) -> Bool {
    let octets = key.octets
    guard octets.count == Int(entry.count) else { return false }
    for index in 0..<octets.count where PathBytes.lowercased(octets[index]) != bytes[Int(entry.start) + index] {
      return false
    }
    return true
  }

  /// FNV-1a over the lower-case bytes and the scope, finished with a multiply-shift.
  private static func hash(_ key: RawSpan, scope: Int32) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(UInt32(bitPattern: scope))
    let octets = key.octets
    for index in 0..<octets.count { hash = (hash ^ UInt64(PathBytes.lowercased(octets[index]))) &* 0x100_0000_01b3 }
    return hash ^ (hash >> 29)
  }
}

/// Byte helpers of the matchers.
enum PathBytes {
  @inline(__always)
  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }
}
