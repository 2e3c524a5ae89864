import Glibc

/// Files and directories, by the C library alone.
package enum FileSystem {
  /// What makes a file the same by any path.
  struct Identity: Equatable {
    private let device: UInt
    private let number: UInt

    fileprivate init(_ status: stat) {
      device = UInt(status.st_dev)
      number = UInt(status.st_ino)
    }
  }

  static func identity(of path: String) -> Identity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Identity(status)
  }

  /// What a path leads to, through links.
  package enum Kind: Sendable {
    case directory, file
    /// A pipe, a socket, a device: reading it may wait for ever.
    case special
  }

  /// nil when the path does not exist.
  package static func kind(_ path: String) -> Kind? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .directory
    case S_IFREG: return .file
    default: return .special
    }
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
  package static func isDirectory(_ path: String) -> Bool? { kind(path).map { $0 == .directory } }

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
