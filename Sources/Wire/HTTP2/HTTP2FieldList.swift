import CNghttp2

/// Fields as nghttp2 is given them, kept and used again.
///
/// Not an array: one in a field of a class is retained when it is lent, and asks at each append whether it is shared,
/// which is fifteen calls of the runtime a request with HTTP/2 on both sides.
@unsafe
struct HTTP2FieldList: ~Copyable {
  private var storage: UnsafeMutableBufferPointer<nghttp2_nv> = .allocate(capacity: 32)
  private var count = 0

  deinit { unsafe storage.deallocate() }

  /// Forgets everything and makes room for `room` fields.
  mutating func begin(room: Int) {
    unsafe count = 0
    let isRoom = unsafe storage.count >= room
    if isRoom { return }
    unsafe storage.deallocate()
    unsafe storage = .allocate(capacity: room * 2)
  }

  /// There must be room: `begin` has made it.
  @inline(__always)
  mutating func append(_ field: nghttp2_nv) {
    precondition(unsafe count < storage.count)
    unsafe storage.initializeElement(at: count, to: field)
    unsafe count += 1
  }

  /// What was appended since `begin`; valid until the next one.
  var fields: UnsafeBufferPointer<nghttp2_nv> { unsafe UnsafeBufferPointer(rebasing: storage[0..<count]) }
}
