import COpenSSL

/// The BIO between OpenSSL and a socket: a method table, shared by all sessions; the state is in `TLSSession`.
enum SocketBIO {
  /// Where a connection's `TLSSession` is kept with OpenSSL.
  static let sessionIndex = shim_SSL_new_index()

  // Written once under the lock of a static, never changed after.
  private nonisolated(unsafe) static let method: OpaquePointer? = {
    let method = unsafe BIO_meth_new(BIO_get_new_index() | Int32(BIO_TYPE_SOURCE_SINK), "sallyport socket")
    unsafe BIO_meth_set_read(method) { bio, pointer, count in
      guard let bio = unsafe bio, let pointer = unsafe pointer, let session = unsafe SocketBIO.session(of: bio) else {
        return -1
      }
      unsafe shim_BIO_clear_retry(bio)
      return unsafe session._withUnsafeGuaranteedRef { unsafe $0.receive(pointer, Int(count), bio) }
    }
    unsafe BIO_meth_set_write(method) { bio, pointer, count in
      guard let bio = unsafe bio, let pointer = unsafe pointer, let session = unsafe SocketBIO.session(of: bio) else {
        return -1
      }
      unsafe shim_BIO_clear_retry(bio)
      return unsafe session._withUnsafeGuaranteedRef { unsafe $0.transmit(pointer, Int(count), bio) }
    }
    unsafe BIO_meth_set_ctrl(method) { bio, command, _, _ in
      switch command {
      case BIO_CTRL_FLUSH: return 1
      case BIO_CTRL_EOF:
        guard let bio = unsafe bio, let session = unsafe SocketBIO.session(of: bio) else { return 0 }
        return unsafe session._withUnsafeGuaranteedRef { $0.hasSeenEnd ? 1 : 0 }
      default: return 0
      }
    }
    return unsafe method
  }()

  /// Makes `ssl` read and write through `session`, which must outlive it.
  static func attach(_ session: TLSSession, to ssl: OpaquePointer) {
    let this = unsafe Unmanaged.passUnretained(session).toOpaque()
    unsafe _ = SSL_set_ex_data(ssl, sessionIndex, this)
    guard let bio = unsafe BIO_new(method) else { fatalError("out of memory") }
    unsafe BIO_set_data(bio, this)
    unsafe BIO_set_init(bio, 1)
    unsafe SSL_set_bio(ssl, bio, bio)
  }

  /// The session of a connection whose callback runs. It lives: it owns the `SSL`.
  static func session(ofSSL ssl: OpaquePointer?) -> Unmanaged<TLSSession>? {
    guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, sessionIndex) else { return nil }
    return unsafe Unmanaged<TLSSession>.fromOpaque(pointer)
  }

  private static func session(of bio: OpaquePointer) -> Unmanaged<TLSSession>? {
    guard let pointer = unsafe BIO_get_data(bio) else { return nil }
    return unsafe Unmanaged<TLSSession>.fromOpaque(pointer)
  }
}
