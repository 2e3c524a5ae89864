import CLinux

/// Unix-domain sockets: `unix:///run/app.sock` in the file system, `unix://@name` in the abstract namespace.
extension SocketAddress {
  /// What the kernel takes, `sun_path` without its terminator.
  package static let maxUnixPathBytes = 107
  /// How Istio writes such an address.
  package static let unixPrefix = "unix://"

  /// From a path, or from `@` and an abstract name; nil when it is too long, or empty.
  package init?(unixPath path: String) {
    guard let number = UnixSocketPaths.number(of: path) else { return nil }
    self.init(unixNumber: number)
  }

  /// From what resources name: an IP literal, or `unix://` and a path, which has no port.
  package init?(named name: String, port: UInt16) {
    guard name.hasPrefix(Self.unixPrefix) else {
      self.init(literal: name, port: port)
      return
    }
    self.init(unixPath: String(name.dropFirst(Self.unixPrefix.count)))
  }

  /// From what the kernel filled in: paths that the configuration has are known, all others are nameless.
  init(unix storage: sockaddr_storage, length: Int) {
    var storage = storage
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    let name = unsafe withUnsafeBytes(of: &storage) { bytes in
      unsafe Array(bytes[min(start, length)..<min(length, bytes.count)])
    }
    if name.first == 0 {
      self.init(unixNumber: UnixSocketPaths.known([0x40] + name.dropFirst()))
    } else {
      self.init(unixNumber: UnixSocketPaths.known(Array(name.prefix { $0 != 0 })))
    }
  }

  /// Whether the socket is in the abstract namespace, without a file.
  var isAbstract: Bool { unixBytes.first == 0x40 }

  /// The path or `@name`; empty for a client's nameless socket.
  var unixBytes: [UInt8] {
    let path = UnixSocketPaths.path(unixNumber)
    return (0..<path.count).map { path.bytes[$0] }
  }

  /// The address as the kernel wants it: an abstract name begins with a zero byte and has no terminator.
  var unixStorage: (address: sockaddr_storage, length: socklen_t) {
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(AF_UNIX)
    var path = unixBytes
    let isAbstract = path.first == 0x40
    if isAbstract { path[0] = 0 }
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    unsafe withUnsafeMutableBytes(of: &storage) { bytes in
      for (index, byte) in path.enumerated() { unsafe bytes[start + index] = byte }
    }
    return (storage, socklen_t(start + path.count + (isAbstract ? 0 : 1)))
  }

  /// Writes the path into `output`; returns where it ends.
  func writeUnixPath(into output: inout MutableRawSpan, at start: Int) -> Int {
    let path = UnixSocketPaths.path(unixNumber)
    for index in 0..<path.count {
      output.storeBytes(of: path.bytes[index], toByteOffset: start + index, as: UInt8.self)
    }
    return start + path.count
  }
}
