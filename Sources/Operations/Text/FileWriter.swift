import CLinux

/// Writes files whole: a reader sees the old text or the new one.
package enum FileWriter {
  /// Replaces a file, keeping its permissions; false when that is not possible.
  package static func replace(_ path: String, with bytes: [UInt8]) -> Bool {
    var status = stat()
    let mode = unsafe stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0o644
    let temporary = path + ".new"
    guard unsafe shim_write_private_file(temporary, bytes, bytes.count, Int32(mode)) == 0,
      unsafe rename(temporary, path) == 0
    else {
      _ = unsafe unlink(temporary)
      return false
    }
    return true
  }
}
