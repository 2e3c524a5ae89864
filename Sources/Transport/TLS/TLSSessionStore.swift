import COpenSSL

/// Sessions that servers gave a client, to be resumed: a few for each endpoint and name, and a bounded number in all.
@safe
struct TLSSessionStore: ~Copyable {
  /// Whom a session is with. Verification settings are not part of it: the store belongs to one context.
  struct Key: Equatable {
    let peer: SocketAddress?
    let serverName: String?
    let verifiedHost: String?
  }

  @safe
  private struct Entry {
    let key: Key
    let session: OpaquePointer
  }

  /// Oldest first.
  private var entries: [Entry] = []

  private static let keptInAll = 64
  private static let keptForKey = 4

  deinit {
    for entry in entries { unsafe SSL_SESSION_free(entry.session) }
  }

  /// How many sessions are kept.
  var count: Int { entries.count }

  /// Takes ownership of `session`; the oldest ones make room.
  mutating func put(_ session: OpaquePointer, for key: Key) {
    let same = entries.indices.filter { entries[$0].key == key }
    if same.count >= Self.keptForKey {
      remove(at: same[0])
    } else if entries.count >= Self.keptInAll {
      remove(at: 0)
    }
    unsafe entries.append(Entry(key: key, session: session))
  }

  /// The latest session with `key`; the caller owns a reference. TLS 1.3 tickets leave the store: they are used once
  /// (RFC 8446, appendix C.4). Older sessions stay.
  mutating func take(for key: Key) -> OpaquePointer? {
    while let index = entries.lastIndex(where: { $0.key == key }) {
      let session = unsafe entries[index].session
      guard unsafe SSL_SESSION_is_resumable(session) == 1 else {
        remove(at: index)
        continue
      }
      if unsafe SSL_SESSION_get_protocol_version(session) == TLSVersion.tls13.rawValue {
        entries.remove(at: index)
      } else {
        unsafe SSL_SESSION_up_ref(session)
      }
      return unsafe session
    }
    return nil
  }

  /// Drops all sessions with `key`.
  mutating func removeAll(for key: Key) {
    for index in entries.indices.reversed() where entries[index].key == key { remove(at: index) }
  }

  private mutating func remove(at index: Int) {
    unsafe SSL_SESSION_free(entries.remove(at: index).session)
  }
}
