import Glibc

/// Files and directories, by the C library alone.
package enum FileSystem {
  /// The configuration files of a path: itself, or those below it. nil when it does not exist.
  package static func configurationFiles(_ path: String) -> [String]? {
    guard let isDirectory = isDirectory(path) else { return nil }
    guard isDirectory else { return [path] }
    var files: [String] = []
    collect(path, above: [], &files)
    return files
  }

  /// - Parameter above: the directories that this one is in; a link back to one of them is not followed.
  private static func collect(_ directory: String, above: [FileIdentity], _ files: inout [String]) {
    guard above.count < 32, let identity = identity(of: directory), !above.contains(identity) else { return }
    let base = directory.hasSuffix("/") ? directory : directory + "/"
    for name in names(in: directory) where !name.hasPrefix(".") {
      let path = base + name
      if isDirectory(path) == true {
        collect(path, above: above + [identity], &files)
      } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
        files.append(path)
      }
    }
  }

  /// What makes a file the same by any path.
  private struct FileIdentity: Equatable {
    let device: UInt
    let number: UInt
  }

  private static func identity(of path: String) -> FileIdentity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return FileIdentity(device: UInt(status.st_dev), number: UInt(status.st_ino))
  }

  /// The entries of a directory in lexical order.
  package static func names(in directory: String) -> [String] {
    guard let handle = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Whether the path is a directory; nil when it does not exist.
  package static func isDirectory(_ path: String) -> Bool? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  /// A file's bytes, nil when it cannot be read or is larger than `limit`.
  package static func read(_ path: String, limit: Int = 16 << 20) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = readAll(descriptor: descriptor, limit: limit + 1)
    return bytes.count > limit ? nil : bytes
  }

  /// Everything that can be read from a descriptor, up to `limit` bytes.
  package static func readAll(descriptor: Int32, limit: Int = 64 << 20) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while bytes.count < limit {
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer[0..<count]
    }
    return bytes
  }
}
