import CLinux
import Glibc

/// Small files, whole.
package enum FileBytes {
  /// More than this is no certificate. In bytes.
  private static let limit = 16 << 20

  /// The bytes of a file, nil when it cannot be read or is too large.
  package static func read(_ path: String) -> [UInt8]? {
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

  /// Writes a file in the place of an old one, readable by its owner alone if `isPrivate`.
  ///
  /// - Throws: `SystemError` naming the path.
  package static func write(_ bytes: [UInt8], to path: String, isPrivate: Bool) throws(SystemError) {
    // A new file beside the old one, then a rename: nobody sees half of it, and an old file's open permissions do not stay.
    let draft = "\(path).new"
    unsafe unlink(draft)
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(isPrivate ? 0o600 : 0o644))
    guard descriptor >= 0 else { throw SystemError(call: "create \(path)") }
    defer { close(descriptor) }
    var position = 0
    while position < bytes.count {
      let count = unsafe bytes.span.bytes.extracting(position..<bytes.count).withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else { throw SystemError(call: "write \(path)") }
      position += count
    }
    guard unsafe rename(draft, path) == 0 else { throw SystemError(call: "rename \(path)") }
  }
}
