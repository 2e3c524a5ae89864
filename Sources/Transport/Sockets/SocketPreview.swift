import CLinux

/// The first bytes of an accepted connection, looked at without taking them: who serves it later reads them as if nobody
/// had been there, so nothing is replayed and no connection class needs to know.
package enum SocketPreview {
  /// What a look at a socket found.
  package enum Look {
    /// So many bytes from the beginning are in the buffer now.
    case bytes(Int)
    /// Nothing has come yet.
    case nothing
    /// The peer is gone, or the connection broke.
    case ended
  }

  /// Copies what waits in the kernel, up to the buffer's room, into `buffer`, which is emptied first.
  package static func look(_ descriptor: Int32, into buffer: inout ByteBuffer) -> Look {
    buffer.removeAll()
    var code: Int32 = 0
    let count = unsafe buffer.fill { block, room in
      let received = unsafe recv(descriptor, block, room, Int32(MSG_PEEK))
      code = shim_errno()
      return received
    }
    if count > 0 { return .bytes(count) }
    return count < 0 && (code == EAGAIN || code == EINTR) ? .nothing : .ended
  }

  /// Takes `count` bytes that were looked at off the socket; false when they are not all there.
  package static func discard(_ descriptor: Int32, _ count: Int) -> Bool {
    var rest = count
    while rest > 0 {
      let dropped = drop(descriptor, atMost: rest)
      guard dropped > 0 else { return false }
      rest -= dropped
    }
    return true
  }

  /// Reads bytes that nobody wants. (TCP drops them inside the kernel, tcp(7), MSG_TRUNC; unix-domain sockets do not.)
  private static func drop(_ descriptor: Int32, atMost count: Int) -> Int {
    unsafe withUnsafeTemporaryAllocation(byteCount: min(count, 4096), alignment: 1) { buffer in
      unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
    }
  }

  /// Sends a few last bytes and closes: what waits unread is dropped first, or the kernel would send a reset, and the peer
  /// might never see them.
  package static func close(_ descriptor: Int32, saying bytes: [UInt8]) {
    if !bytes.isEmpty {
      while drop(descriptor, atMost: 4096) > 0 {}
      unsafe bytes.withUnsafeBytes { unsafe _ = shim_send(descriptor, $0.baseAddress, $0.count) }
      shutdown(descriptor, Int32(SHUT_WR))
    }
    CLinux.close(descriptor)
  }
}
