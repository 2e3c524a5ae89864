import Synchronization

/// The paths of unix-domain sockets that this process knows, each with a number: so `SocketAddress` stays trivial, and an
/// address is compared and copied for nothing. Paths come from the configuration alone, never from peers, and stay for the
/// life of the process.
enum UnixSocketPaths {
  /// A path as it is written: `/run/app.sock`, `@abstract`. Trivial.
  struct Path {
    var bytes = InlineArray<108, UInt8>(repeating: 0)
    var count = 0
  }

  /// Number 0 is the socket without a name, which clients have.
  private static let table = Mutex<[Path]>([Path()])

  /// The number of `path`, which the table learns if need be; nil when it is longer than a socket's path may be.
  static func number(of path: String) -> UInt64? {
    let wanted = Array(path.utf8)
    guard !wanted.isEmpty, wanted.count <= SocketAddress.maxUnixPathBytes else { return nil }
    return table.withLock { table in
      if let known = index(of: wanted, in: table) { return UInt64(known) }
      var entry = Path()
      for index in wanted.indices { entry.bytes[index] = wanted[index] }
      entry.count = wanted.count
      table.append(entry)
      return UInt64(table.count - 1)
    }
  }

  /// The number of a path that the kernel names; 0 when the process does not know it.
  static func known(_ path: [UInt8]) -> UInt64 {
    path.isEmpty ? 0 : table.withLock { UInt64(index(of: path, in: $0) ?? 0) }
  }

  static func path(_ number: UInt64) -> Path {
    table.withLock { $0[Int(number)] }
  }

  private static func index(of wanted: [UInt8], in table: [Path]) -> Int? {
    table.indices.first { position in
      table[position].count == wanted.count && wanted.indices.allSatisfy { table[position].bytes[$0] == wanted[$0] }
    }
  }
}
