import CNghttp2

/// What nghttp2 calls back, as thin as can be: each finds its session and hands on. Made once for the process.
@unsafe
enum HTTP2Callbacks {
  nonisolated(unsafe) static let server = unsafe make()
  nonisolated(unsafe) static let client = unsafe make()
  nonisolated(unsafe) static let option = unsafe makeOption()

  private static func makeOption() -> OpaquePointer? {
    var option: OpaquePointer?
    unsafe nghttp2_option_new(&option)
    // Windows open when bytes were used, not when they came: that is the back-pressure.
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    // Closed streams are kept for the sake of priorities only, which are not used.
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    unsafe nghttp2_option_set_peer_max_concurrent_streams(option, 100)
    unsafe nghttp2_option_set_max_outbound_ack(option, 1000)
    // How large a head may be was decided where it came from.
    unsafe nghttp2_option_set_max_send_header_block_length(option, HTTP2Session.headLimitBytes)
    // Frames of unknown types are dropped by nghttp2 without a word, for as long as they come: ours are asked for.
    // RFC 9113 defines those below 10.
    for type in UInt8(10)...UInt8.max {
      unsafe nghttp2_option_set_user_recv_extension_type(option, type)
    }
    return unsafe option
  }

  private static func make() -> OpaquePointer? {
    var callbacks: OpaquePointer?
    unsafe nghttp2_session_callbacks_new(&callbacks)
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beginHeaders)
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, header)
    unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, invalidHeader)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameArrived)
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalidFrame)
    unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, frameNotSent)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataArrived)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
    unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks, sendBody)
    unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, extensionArrived)
    return unsafe callbacks
  }

  @inline(__always)
  private static func with<Result>(
    _ data: UnsafeMutableRawPointer?, _ absent: Result, _ body: (HTTP2Session) -> Result
  ) -> Result {
    guard let data = unsafe data else { return absent }
    // The session is alive: it made the call that this is called from.
    return unsafe Unmanaged<HTTP2Session>.fromOpaque(data)._withUnsafeGuaranteedRef { body($0) }
  }

  private static let giveUp = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue

  private static let beginHeaders: nghttp2_on_begin_headers_callback = { _, frame, data in
    guard let frame = unsafe frame else { return 0 }
    let category = unsafe frame.pointee.headers.cat
    let id = unsafe frame.pointee.hd.stream_id
    return unsafe with(data, 0) { $0.fieldsBegin(id, category) ? 0 : giveUp }
  }

  private static let header: nghttp2_on_header_callback = { _, _, name, nameCount, value, valueCount, _, data in
    guard let name = unsafe name, let value = unsafe value else { return 0 }
    let nameSpan = unsafe RawSpan(_unsafeStart: name, byteCount: nameCount)
    let valueSpan = unsafe RawSpan(_unsafeStart: value, byteCount: valueCount)
    return unsafe with(data, 0) { session in
      switch session.field(nameSpan, valueSpan) {
      case .taken: return 0
      case .pause: return NGHTTP2_ERR_PAUSE.rawValue
      case .giveUp:
        session.abandonFields()
        return giveUp
      }
    }
  }

  /// A field that is not allowed makes the message malformed (RFC 9113, section 8.2.1); left alone, nghttp2 would drop
  /// the field and go on.
  private static let invalidHeader: nghttp2_on_invalid_header_callback = { session, frame, _, _, _, _, _, data in
    guard let frame = unsafe frame else { return 0 }
    unsafe nghttp2_submit_rst_stream(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), frame.pointee.hd.stream_id, HTTP2ErrorCode.protocolError.rawValue)
    return unsafe with(data, 0) { session in
      session.abandonFields()
      return giveUp
    }
  }

  private static let frameArrived: nghttp2_on_frame_recv_callback = { _, frame, data in
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    return unsafe with(data, 0) {
      $0.frameArrived(header.type, streamID: header.stream_id, flags: header.flags, length: header.length)
      return 0
    }
  }

  /// nghttp2 refused a frame, and resets the stream: a head that was coming in will not be completed.
  private static let invalidFrame: nghttp2_on_invalid_frame_recv_callback = { _, frame, _, data in
    guard let frame = unsafe frame, unsafe UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue else { return 0 }
    return unsafe with(data, 0) {
      $0.abandonFields()
      return 0
    }
  }

  /// A request that was submitted cannot be sent any more: the peer's GOAWAY came first.
  private static let frameNotSent: nghttp2_on_frame_not_send_callback = { _, frame, code, data in
    guard let frame = unsafe frame, unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    let id = unsafe frame.pointee.hd.stream_id
    let category = unsafe frame.pointee.headers.cat
    return unsafe with(data, 0) {
      switch code {
      case NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue: $0.requestNotSent(id)
      case NGHTTP2_ERR_STREAM_CLOSED.rawValue, NGHTTP2_ERR_STREAM_CLOSING.rawValue: break
      // Streams of requests that cannot be sent are closed by nghttp2 itself.
      case _ where category == NGHTTP2_HCAT_REQUEST: break
      default: $0.headNotSent(id)
      }
      return 0
    }
  }

  private static let dataArrived: nghttp2_on_data_chunk_recv_callback = { _, _, id, bytes, count, data in
    let address = UInt(bitPattern: bytes)
    return unsafe with(data, 0) {
      $0.dataArrived(id, address, count)
      return 0
    }
  }

  /// A frame of a type that is not known is ignored (RFC 9113, section 4.1), and counted.
  private static let extensionArrived: nghttp2_unpack_extension_callback = { _, _, _, data in
    unsafe with(data, NGHTTP2_ERR_CANCEL.rawValue) {
      $0.guardian.control()
      return NGHTTP2_ERR_CANCEL.rawValue
    }
  }

  private static let streamClosed: nghttp2_on_stream_close_callback = { _, id, code, data in
    unsafe with(data, 0) {
      $0.streamClosed(id, code)
      return 0
    }
  }

  /// How much of a body there is for the next frame.
  static let readBody: nghttp2_data_source_read_callback = { _, _, _, limit, flags, source, data in
    let slot = unsafe Int32(Int(bitPattern: source?.pointee.ptr)) - 1
    var wanted = unsafe flags?.pointee ?? 0
    let count = unsafe with(data, 0) { $0.nextBody(slot, limit: limit, flags: &wanted) }
    unsafe flags?.pointee = wanted
    return count
  }

  private static let sendBody: nghttp2_send_data_callback = { _, _, header, count, source, data in
    guard let header = unsafe header else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    let slot = unsafe Int32(Int(bitPattern: source?.pointee.ptr)) - 1
    return unsafe with(data, 0) {
      unsafe $0.sendBody(slot, header: header, count: count) ? 0 : NGHTTP2_ERR_WOULDBLOCK.rawValue
    }
  }
}
