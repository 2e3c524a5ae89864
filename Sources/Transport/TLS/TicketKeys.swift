import CLinux
import COpenSSL
import Synchronization

/// The keys of session tickets, one set for the process, shared by the contexts of all workers; they never leave memory.
///
/// A new key every 12 hours; the two before it still open tickets, which are renewed then. Keys rotate when one is asked for:
/// an idle instance does not wake up for it. What a ticket is good for is not the keys' business: OpenSSL seals the session id
/// context, which is made of the server's whole policy, into each ticket and compares it.
final class TicketKeys: Sendable {
  /// Shared by all listeners of the process.
  static let shared = TicketKeys()

  static let rotationSeconds: Int64 = 12 * 3600
  private static let keptKeys = 3
  private static let nameBytes = 16
  private static let secretBytes = 32

  private struct Key {
    var name: [UInt8]
    var cipher: [UInt8]
    var mac: [UInt8]
    var created: Int64
  }

  private let keys = Mutex<[Key]>([])
  // AES-256-CBC, looked up once: OpenSSL 3.0 searches its providers each time otherwise.
  private nonisolated(unsafe) static let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

  /// Prepares the sealing of a new ticket. Returns OpenSSL's verdict for the callback: 1, or -1 for an error.
  func seal(
    name: UnsafeMutablePointer<UInt8>, vector: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer?, mac: OpaquePointer?
  ) -> Int32 {
    guard let key = current(), unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
    for index in 0..<Self.nameBytes { unsafe name[index] = key.name[index] }
    guard unsafe EVP_EncryptInit_ex2(cipher, Self.cipher, key.cipher, vector, nil) == 1,
      unsafe shim_set_ticket_mac(mac, key.mac, key.mac.count) == 1
    else { return -1 }
    return 1
  }

  /// Prepares the opening of a client's ticket. Returns OpenSSL's verdict: 0 unknown key, 1 good, 2 good but renew it.
  ///
  /// - Parameter isSingleUse: clients throw a TLS 1.3 ticket away when they have used it, and need another.
  func open(
    name: UnsafeMutablePointer<UInt8>, vector: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer?, mac: OpaquePointer?,
    isSingleUse: Bool
  ) -> Int32 {
    let wanted = unsafe Array(UnsafeBufferPointer(start: name, count: Self.nameBytes))
    rotateIfDue()
    let found = keys.withLock { keys in keys.firstIndex { $0.name == wanted }.map { (keys[$0], $0 == 0) } }
    guard let (key, isCurrent) = found else { return 0 }
    guard unsafe shim_set_ticket_mac(mac, key.mac, key.mac.count) == 1,
      unsafe EVP_DecryptInit_ex2(cipher, Self.cipher, key.cipher, vector, nil) == 1
    else { return -1 }
    return isCurrent && !isSingleUse ? 1 : 2
  }

  private func current() -> Key? {
    rotateIfDue()
    return keys.withLock { $0.first }
  }

  private func rotateIfDue() {
    rotate(now: shim_monotonic_nanoseconds() / 1_000_000_000)
  }

  /// Makes a new key when the newest is too old, and drops those that are too old to open anything.
  func rotate(now: Int64) {
    keys.withLock { keys in
      keys.removeAll { now - $0.created >= Self.rotationSeconds * Int64(Self.keptKeys) }
      if let newest = keys.first, now - newest.created < Self.rotationSeconds { return }
      guard let name = Self.random(Self.nameBytes), let cipher = Self.random(Self.secretBytes),
        let mac = Self.random(Self.secretBytes)
      else { return }
      keys.insert(Key(name: name, cipher: cipher, mac: mac, created: now), at: 0)
      if keys.count > Self.keptKeys { keys.removeLast() }
    }
  }

  /// Names of the keys that open tickets, newest first; for tests.
  var names: [[UInt8]] { keys.withLock { $0.map(\.name) } }

  private static func random(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
  }
}
