import CLinux
import Transport

/// Asks a running instance's admin or health port, blocking: for the verbs of the command line.
package struct AdminClient {
  package let address: SocketAddress

  package init(address: SocketAddress) {
    self.address = address
  }

  /// An answer.
  package struct Answer {
    package let status: Int
    package let body: String
  }

  /// - Throws: `SystemError` when nobody listens, or the answer is not HTTP.
  package func get(_ path: String, timeoutSeconds: Int = 5) throws(SystemError) -> Answer {
    try ask("GET", path, timeoutSeconds)
  }

  /// Asks for a change.
  ///
  /// - Throws: `SystemError` when nobody listens, or the answer is not HTTP.
  package func post(_ path: String, timeoutSeconds: Int = 5) throws(SystemError) -> Answer {
    try ask("POST", path, timeoutSeconds)
  }

  private func ask(_ method: String, _ path: String, _ timeoutSeconds: Int) throws(SystemError) -> Answer {
    let descriptor = try connect(timeoutSeconds)
    defer { close(descriptor) }
    let request = Array(
      "\(method) \(path) HTTP/1.1\r\nhost: \(address)\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".utf8)
    guard unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw SystemError(call: "write to \(address)")
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, shim_errno() == EINTR { continue }
      // Part of an answer is none.
      guard count >= 0 else { throw SystemError(call: "read from \(address)") }
      guard count > 0 else { break }
      bytes += buffer[0..<count]
    }
    return try parse(String(decoding: bytes, as: UTF8.self))
  }

  private func connect(_ timeoutSeconds: Int) throws(SystemError) -> Int32 {
    let descriptor = socket(address.family == .v4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError(call: "socket") }
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
    var (storage, length) = address.storage
    let result = unsafe withUnsafePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe CLinux.connect(descriptor, $0, length) }
    }
    guard result == 0 else {
      let error = SystemError(call: "connect to \(address)")
      close(descriptor)
      throw error
    }
    return descriptor
  }

  private func parse(_ text: String) throws(SystemError) -> Answer {
    guard let end = text.range(of: "\r\n\r\n"), let status = Int(text.dropFirst(9).prefix(3)) else {
      throw SystemError(call: "read from \(address)", code: EPROTO)
    }
    return Answer(status: status, body: String(text[end.upperBound...]))
  }
}

extension String {
  fileprivate func range(of needle: String) -> Range<String.Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].utf8.starts(with: needle.utf8) {
        return index..<self.utf8.index(index, offsetBy: needle.utf8.count)
      }
      index = self.utf8.index(after: index)
    }
    return nil
  }
}
