import COpenSSL
import Synchronization

/// The keys of session tickets, one set a listener, shared by all workers; they never leave the process.
enum TicketKeys {
  private static let byName = Mutex<[String: [UInt8]]>([:])

  /// Name, HMAC key and AES key, as OpenSSL wants them.
  private static let bytes = 80

  static func keys(for name: String) -> [UInt8] {
    byName.withLock { all in
      if let known = all[name] { return known }
      var keys = [UInt8](repeating: 0, count: bytes)
      unsafe RAND_bytes(&keys, Int32(bytes))
      all[name] = keys
      return keys
    }
  }
}

/// Message digests.
package enum Digest {
  /// SHA-256, 32 bytes.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    unsafe _ = SHA256(bytes, bytes.count, &result)
    return result
  }
}
