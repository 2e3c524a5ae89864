import CNghttp2

/// What nghttp2's callbacks do: they record events and answer what it asks. Nothing here leads out of the session.
extension HTTP2Session {
  static func userData(_ slot: Int32) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: Int(slot) + 1)
  }

  func slot(of streamID: Int32) -> Int32 {
    let data = unsafe nghttp2_session_get_stream_user_data(session, streamID)
    return Int32(Int(bitPattern: data)) - 1
  }

  func streamID(_ slot: Int32) -> Int32? {
    guard slot >= 0, slots[Int(slot)].isUsed, slots[Int(slot)].streamID > 0 else { return nil }
    return slots[Int(slot)].streamID
  }

  func takeSlot() -> Int32 {
    if let slot = freeSlots.popLast() {
      slots[Int(slot)].isUsed = true
      return slot
    }
    var slot = Outgoing()
    slot.isUsed = true
    slots.append(slot)
    freeSlots.reserveCapacity(slots.count)
    return Int32(slots.count - 1)
  }

  private func takeMessage() -> Int32 {
    if let message = freeMessages.popLast() { return message }
    let message = HTTP2Message(isServer: role == .server)
    messages.append(message)
    unsafe messageLinks.append(Unmanaged.passUnretained(message))
    freeMessages.reserveCapacity(messages.count)
    return Int32(messages.count - 1)
  }

  /// Lends a message, which is never removed from `messages`.
  @inline(__always)
  func withMessage<Result>(_ index: Int32, _ body: (HTTP2Message) -> Result) -> Result {
    unsafe messageLinks[Int(index)]._withUnsafeGuaranteedRef { body($0) }
  }

  /// The body of a slot, as nghttp2 asks for it.
  func provider(_ slot: Int32) -> nghttp2_data_provider {
    unsafe nghttp2_data_provider(
      source: nghttp2_data_source(ptr: Self.userData(slot)), read_callback: HTTP2Callbacks.readBody)
  }

  /// A block of fields begins. Returns false when it is not one that we read.
  func fieldsBegin(_ streamID: Int32, _ category: nghttp2_headers_category) -> Bool {
    abandonFields()
    current = takeMessage()
    currentStream = streamID
    if category == NGHTTP2_HCAT_REQUEST {
      let slot = takeSlot()
      slots[Int(slot)].streamID = streamID
      activeStreams += 1
      hasSeenStream = true
      unsafe nghttp2_session_set_stream_user_data(session, streamID, Self.userData(slot))
    } else if category == NGHTTP2_HCAT_HEADERS {
      let slot = slot(of: streamID)
      messages[Int(current)].isTrailers = role == .server || slot < 0 || !slots[Int(slot)].awaitsFinal
    }
    return true
  }

  /// What becomes of a block of fields after one of them.
  enum FieldOutcome { case taken, pause, giveUp }

  /// One field came.
  func field(_ name: RawSpan, _ value: RawSpan) -> FieldOutcome {
    // The head was refused, and its stream has not ended yet.
    guard current >= 0 else { return .giveUp }
    guard name.byteCount > 0 else { return .taken }
    return withMessage(current) { field(name, value, of: $0) }
  }

  func field(_ name: RawSpan, _ value: RawSpan, of message: HTTP2Message) -> FieldOutcome {
    message.size += name.byteCount + value.byteCount + 32
    message.fieldCount += 1
    if message.isTooLarge || message.size > settings.maxHeaderBytes
      || message.fieldCount > settings.maxHeaderCount + 4
    {
      message.isTooLarge = true
      // A few bytes can unpack to megabytes: beyond this much nobody waits for the end of the head.
      return message.size <= settings.maxHeaderBytes * 4 ? .taken : refuseUnfinished(message)
    }
    if message.isTrailers, !HeaderName.resolve(name).isAllowedInTrailers { return .taken }
    if role == .server { message.addToRequest(name, value) } else { message.addToResponse(name, value) }
    return .taken
  }

  /// A head is far too large, and not complete. A request's is to be answered before more of it is looked at: nghttp2 cannot
  /// leave out the rest of it without ending the stream with INTERNAL_ERROR, unless the stream is over.
  private func refuseUnfinished(_ message: HTTP2Message) -> FieldOutcome {
    let slot = message.isTrailers ? -1 : slot(of: currentStream)
    guard slot >= 0 else { return .giveUp }
    var event = HTTP2Event(.headTooLarge)
    event.slot = slot
    event.streamID = currentStream
    guard role == .server else {
      events.append(event)
      return .giveUp
    }
    event.message = current
    current = -1
    events.append(event)
    isPaused = true
    return .pause
  }

  /// A frame is complete.
  func frameArrived(_ kind: UInt8, streamID: Int32, flags: UInt8, length: Int) {
    let endsStream = flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch UInt32(kind) {
    case NGHTTP2_HEADERS.rawValue:
      guardian.usefulFrame()
      if role == .server { guardian.head() }
      headArrived(streamID, endsStream: endsStream)
    case NGHTTP2_DATA.rawValue:
      guardian.data(length: length, endsStream: endsStream)
      if endsStream { add(HTTP2Event(.ended), streamID) }
    case NGHTTP2_SETTINGS.rawValue:
      guardian.control()
      guard flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 else { return }
      let limit = unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
      peerMaxConcurrentStreams = Int(min(limit, 1 << 20))
      events.append(HTTP2Event(.settings))
    case NGHTTP2_RST_STREAM.rawValue:
      guardian.control()
      if role == .server { guardian.reset() }
      lastResetStream = streamID
    case NGHTTP2_GOAWAY.rawValue:
      isLeaving = true
      events.append(HTTP2Event(.goAway))
    case NGHTTP2_WINDOW_UPDATE.rawValue: guardian.windowUpdate()
    case NGHTTP2_PING.rawValue:
      guardian.control()
      if flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { pingAnswers += 1 }
    default: guardian.control()
    }
  }

  private func add(_ event: HTTP2Event, _ streamID: Int32) {
    var event = event
    event.streamID = streamID
    event.slot = slot(of: streamID)
    if event.slot >= 0 { events.append(event) }
  }

  func headArrived(_ streamID: Int32, endsStream: Bool) {
    guard current >= 0 else { return }
    let index = current
    current = -1
    withMessage(index) { headArrived(streamID, endsStream: endsStream, index, $0) }
  }

  func headArrived(_ streamID: Int32, endsStream: Bool, _ index: Int32, _ message: HTTP2Message) {
    var event = HTTP2Event(message.isTrailers ? .trailers : .head)
    event.message = index
    event.endsStream = endsStream
    event.streamID = streamID
    event.slot = slot(of: streamID)
    guard event.slot >= 0 else { return give(index) }
    if message.isTrailers {
      if message.isTooLarge { return refuse(event, .enhanceYourCalm) }
    } else if role == .client {
      if message.isTooLarge {
        refuse(event, .protocolError)
        event = HTTP2Event(.headTooLarge, like: event)
        event.message = -1
        return events.append(event)
      }
      message.finishResponse(endsStream: endsStream)
      if message.response.status >= 200 { slots[Int(event.slot)].awaitsFinal = false }
    } else if !message.finishRequest(endsStream: endsStream), !message.isTooLarge {
      return refuse(event, .protocolError)
    } else if message.isTooLarge {
      event = HTTP2Event(.headTooLarge, like: event)
    }
    events.append(event)
  }

  private func refuse(_ event: HTTP2Event, _ code: HTTP2ErrorCode) {
    give(event.message)
    reset(slot: event.slot, code)
  }

  /// Bytes of a body came, which lie in the input.
  func dataArrived(_ streamID: Int32, _ address: UInt, _ count: Int) {
    var event = HTTP2Event(.data)
    event.offset = Int32(truncatingIfNeeded: address &- inputBase)
    event.count = Int32(truncatingIfNeeded: count)
    if role == .client { unsafe nghttp2_session_consume_connection(session, count) }
    let slot = slot(of: streamID)
    guard slot >= 0 else { return dropped(count) }
    event.streamID = streamID
    event.slot = slot
    events.append(event)
  }

  /// A stream is over.
  func streamClosed(_ streamID: Int32, _ code: UInt32) {
    var event = HTTP2Event(.closed)
    event.errorCode = HTTP2ErrorCode(rawValue: code)
    // A peer that makes us reset its streams costs us as much as one that does it itself (CVE-2025-8671).
    if role == .server, streamID != lastResetStream, event.errorCode.isPeersFault { guardian.reset() }
    event.slot = slot(of: streamID)
    event.streamID = streamID
    guard event.slot >= 0 else { return }
    if slots[Int(event.slot)].isUnsent { event.errorCode = .refusedStream }
    activeStreams -= 1
    events.append(event)
  }

  /// The peer goes away, and a request had not been sent.
  func requestNotSent(_ streamID: Int32) {
    let slot = slot(of: streamID)
    if slot >= 0 { slots[Int(slot)].isUnsent = true }
  }

  /// A response or its trailers cannot be sent: the peer must not wait for them.
  func headNotSent(_ streamID: Int32) {
    let slot = slot(of: streamID)
    if slot >= 0 { reset(slot: slot, .internalError) }
  }

  /// A block of fields will not be completed.
  func abandonFields() {
    guard current >= 0 else { return }
    give(current)
    current = -1
  }

  /// How much of a slot's body goes into the next frame of at most `limit` bytes; sets the flags that nghttp2 wants.
  func nextBody(_ slot: Int32, limit: Int, flags: inout UInt32) -> Int {
    let place = Int(slot)
    let count = min(limit, slots[place].available)
    if count == 0, !slots[place].isEnded {
      slots[place].isDeferred = true
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    slots[place].available -= count
    if count > 0 { flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
    if slots[place].isEnded, slots[place].available == 0 {
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if slots[place].trailers >= 0 {
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        submitTrailers(trailers[Int(slots[place].trailers)], slots[place].streamID)
      }
    }
    return count
  }

  private func submitTrailers(_ block: HTTP2Trailers, _ streamID: Int32) {
    unsafe block.fields.withFields(into: &memory.fields) { fields in
      unsafe _ = nghttp2_submit_trailer(session, streamID, fields.baseAddress, fields.count)
    }
  }

  /// nghttp2 wants a body frame to be sent: true once it has been.
  func sendBody(_ slot: Int32, header: UnsafePointer<UInt8>, count: Int) -> Bool {
    if isPendingWritten, let pending, unsafe Self.isSame(pending.header, header) {
      self.pending = nil
      isPendingWritten = false
      guardian.dataSent()
      return true
    }
    isPendingWritten = false
    var bytes = InlineArray<9, UInt8>(repeating: 0)
    for index in 0..<9 { unsafe bytes[index] = header[index] }
    pending = (slot, bytes, count)
    return false
  }

  /// The stream's number is in a frame's header, and no number is used twice.
  @unsafe
  private static func isSame(_ written: InlineArray<9, UInt8>, _ header: UnsafePointer<UInt8>) -> Bool {
    for index in 0..<9 where unsafe written[index] != header[index] { return false }
    return true
  }
}
