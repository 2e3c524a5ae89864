import CLinux
import Glibc

/// Small files, whole.
enum FileBytes {
  /// More than this is no certificate. In bytes.
  private static let limit = 16 << 20

  /// The bytes of a file, nil when it cannot be read or is too large.
  static func read(_ path: String) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(descriptor, &block, block.count)
      if count < 0, shim_errno() == EINTR { continue }
      guard count >= 0, bytes.count + count <= limit else { return nil }
      if count == 0 { return bytes }
      bytes += block[..<count]
    }
  }
}
