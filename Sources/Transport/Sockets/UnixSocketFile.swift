import CLinux

/// The file of a unix-domain socket that we listen on. It appears with `bind`, with the permissions that the process's umask
/// leaves, and goes with this object: unless another process has replaced it, whose file it is then.
package final class UnixSocketFile {
  private let path: String
  private let device: dev_t
  private let inode: ino_t

  /// The file of a socket that was just bound; nil for other families and for abstract names, which have none.
  package init?(of address: SocketAddress) {
    guard address.family == .unix, !address.isAbstract else { return nil }
    path = address.description
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0 else { return nil }
    device = facts.st_dev
    inode = facts.st_ino
  }

  deinit {
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0, facts.st_dev == device, facts.st_ino == inode else { return }
    _ = unsafe unlink(path)
  }

  /// Makes way for a new socket: what a process left behind that is not there any more is removed.
  ///
  /// - Throws: `SystemError` when somebody listens there, when the file is no socket, or when it cannot be removed.
  static func makeWay(for address: SocketAddress) throws(SystemError) {
    if isServed(address) { throw SystemError(call: "bind \(address)", code: EADDRINUSE) }
    guard !address.isAbstract else { return }
    var facts = stat()
    guard unsafe lstat(address.description, &facts) == 0 else { return }
    // A file of another kind is somebody's data.
    guard facts.st_mode & UInt32(S_IFMT) == UInt32(S_IFSOCK) else {
      throw SystemError(call: "bind \(address)", code: EADDRINUSE)
    }
    guard unsafe unlink(address.description) == 0 else { throw SystemError(call: "remove the stale socket \(address)") }
  }

  /// Whether a process listens at `address`: only then a connection is taken, or waits for its turn.
  private static func isServed(_ address: SocketAddress) -> Bool {
    do throws(SystemError) {
      close(try OutgoingSocket.connect(to: address))
      return true
    } catch {
      return error.code == EAGAIN
    }
  }
}
