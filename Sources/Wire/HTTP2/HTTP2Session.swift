import CNghttp2

/// One HTTP/2 connection without a socket: bytes in, events out; messages in, bytes out. Frames, HPACK, flow control and
/// the rules of RFC 9113 are nghttp2's; what a peer can make us do is bounded here as well (`HTTP2FloodGuard`).
///
/// Every stream has a slot, a small number that its owner uses as an index. Request and response bodies are not stored
/// here: what came in lies in the input that was given to `receive`, and what goes out is announced with `offer` and
/// asked for by `nextOutput` when flow control has room for it.
@safe
package final class HTTP2Session {
  /// Which side of the connection we are.
  package enum Role: Sendable { case server, client }

  /// The longest head that is sent, in bytes, as the fields' names and values. nghttp2 would send 64 kB.
  static let headLimitBytes = 4 << 20

  /// What `receive` made of its input.
  package enum Progress: Equatable {
    case consumed
    /// The first so many bytes were taken, and a head that is too large is to be answered (`HTTP2Event.headTooLarge`), the
    /// answer sent and its stream ended, before the others are given to `receive` (server).
    case paused(Int)
    /// The peer broke the protocol: what `nextOutput` has is sent, then the connection closes.
    case failed(String)
  }

  /// What is to be sent next.
  package enum Output: Equatable {
    /// Nothing, for now.
    case none
    /// The bytes that `withOutput` lends.
    case bytes(Int)
    /// `count` bytes of the body of `slot`, behind the nine bytes that `writeDataHeader` gives.
    case data(slot: Int32, count: Int)
    case failed
  }

  /// A body that goes out.
  struct Outgoing {
    var streamID: Int32 = 0
    /// Bytes that the owner has ready and that are in no frame yet.
    var available = 0
    var isEnded = false
    /// nghttp2 asked and there was nothing: it must be told when there is.
    var isDeferred = false
    var isUsed = false
    /// Only interim responses have come so far (client).
    var awaitsFinal = true
    /// The peer never saw the request (client).
    var isUnsent = false
    /// The trailers that follow the body, by their place in `trailers`; -1 for none.
    var trailers: Int32 = -1
  }

  let role: Role
  let settings: HTTP2Settings
  /// nghttp2 holds on to it until the session is gone.
  let memory: HTTP2Memory
  var session: OpaquePointer?
  var slots: [Outgoing] = []
  var freeSlots: [Int32] = []
  var trailers: [HTTP2Trailers] = []
  private var freeTrailers: [Int32] = []
  var messages: [HTTP2Message] = []
  /// The same, for use without reference counting: `messages` keeps them.
  var messageLinks = unsafe [Unmanaged<HTTP2Message>]()
  var freeMessages: [Int32] = []
  /// The head that is coming in.
  var current: Int32 = -1
  /// Its stream.
  var currentStream: Int32 = 0
  /// A callback has asked for a pause.
  var isPaused = false
  var events: [HTTP2Event] = []
  var inputBase: UInt = 0
  var guardian = HTTP2FloodGuard()
  var pending: (slot: Int32, header: InlineArray<9, UInt8>, count: Int)?
  var isPendingWritten = false
  var output: (start: UnsafeRawPointer, count: Int)?
  /// Where nghttp2 writes frames.
  private var frameBlock: UnsafeMutableRawPointer?
  /// The last stream that the peer reset.
  var lastResetStream: Int32 = 0
  /// One side has said goodbye: when the last stream has ended, the connection has.
  package internal(set) var isLeaving = false
  /// Streams that are open.
  package internal(set) var activeStreams = 0
  /// The peer has opened a stream.
  package internal(set) var hasSeenStream = false
  /// Answers to our PINGs that have come.
  package internal(set) var pingAnswers = 0
  /// Streams that the peer allows us (client).
  package internal(set) var peerMaxConcurrentStreams: Int = 100

  /// A session that has its settings, and the client's preface, ready to be sent.
  ///
  /// - Parameter memory: shared by the sessions of one thread.
  package init(
    _ role: Role, settings: HTTP2Settings = HTTP2Settings(), memory: HTTP2Memory = HTTP2Memory(maxSessions: 1)
  ) {
    self.role = role
    self.settings = settings
    self.memory = memory
    let callbacks = unsafe role == .server ? HTTP2Callbacks.server : HTTP2Callbacks.client
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    var made: OpaquePointer?
    var functions = unsafe memory.functions
    if role == .server {
      unsafe nghttp2_session_server_new3(&made, callbacks, this, HTTP2Callbacks.option, &functions)
    } else {
      unsafe nghttp2_session_client_new3(&made, callbacks, this, HTTP2Callbacks.option, &functions)
    }
    // It fails for want of memory only, and Swift itself ends the process then.
    guard let made = unsafe made else { fatalError("out of memory") }
    unsafe session = made
    unsafe frameBlock = memory.takeFrameBlock()
    submitSettings()
  }

  deinit {
    if let session = unsafe session { unsafe nghttp2_session_del(session) }
  }

  private static let maxQueuedFrames = 10_000

  private func submitSettings() {
    let max = NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
    var entries = [
      setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(settings.streamWindowBytes)),
      setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(settings.maxHeaderBytes)),
    ]
    if role == .server {
      entries.append(setting(max, settings.maxConcurrentStreams))
      entries.append(setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1))
    } else {
      entries.append(setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    unsafe nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
    unsafe nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, settings.connectionWindowBytes)
  }

  private func setting(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
  }

  // MARK: Receiving

  /// Takes all of `input`. Events follow, in order; their offsets are into this very input.
  ///
  /// - Parameter now: milliseconds of any clock that does not go back.
  package func receive(_ input: RawSpan, now: Int64 = 0) -> Progress {
    guard input.byteCount > 0 else { return .consumed }
    guardian.advance(to: now)
    let result = unsafe input.withUnsafeBytes { bytes in
      inputBase = UInt(bitPattern: bytes.baseAddress)
      return unsafe nghttp2_session_mem_recv(
        session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    if let reason = guardian.reason {
      unsafe nghttp2_session_terminate_session(session, HTTP2ErrorCode.enhanceYourCalm.rawValue)
      return .failed(reason)
    }
    guard result >= 0 else {
      let isFlood = result == NGHTTP2_ERR_FLOODED.rawValue || result == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue
      if isFlood { terminate(.enhanceYourCalm) }
      return .failed(unsafe String(cString: nghttp2_strerror(Int32(result))))
    }
    if isPaused {
      isPaused = false
      return .paused(Int(result))
    }
    // A peer that makes us answer and does not read: Envoy's `max_outbound_frames`.
    if role == .server, unsafe nghttp2_session_get_outbound_queue_size(session) > Self.maxQueuedFrames {
      terminate(.enhanceYourCalm)
      return .failed("too many frames wait to be sent")
    }
    // After a connection error nghttp2 takes nothing more, and only wants to send its GOAWAY. After a goodbye it is the
    // same once there are no streams, and that is no error.
    if !isLeaving, unsafe nghttp2_session_want_read(session) == 0 {
      return .failed("the connection was ended by a protocol error")
    }
    return .consumed
  }

  /// A block of fields has begun and is not complete.
  package var isInsideHead: Bool { current >= 0 }

  /// Events since `clearEvents`.
  package var eventCount: Int { events.count }

  /// One event.
  package func event(at index: Int) -> HTTP2Event { events[index] }

  /// Forgets the events; their messages must have been taken.
  package func clearEvents() { events.removeLast(events.count) }

  /// Moves a request head into `head`, which must be reset.
  package func take(_ event: HTTP2Event, into head: inout RequestHead) {
    guard event.message >= 0 else { return }
    withMessage(event.message) { swap(&$0.request, &head) }
    give(event.message)
  }

  /// Moves a response head into `head`, which must be reset.
  package func take(_ event: HTTP2Event, into head: inout ResponseHead) {
    guard event.message >= 0 else { return }
    withMessage(event.message) { swap(&$0.response, &head) }
    give(event.message)
  }

  /// Moves trailers into `trailers`, which must be empty.
  package func take(_ event: HTTP2Event, into trailers: inout HeaderBlock) {
    guard event.message >= 0 else { return }
    if role == .server {
      withMessage(event.message) { swap(&$0.request.headers, &trailers) }
    } else {
      withMessage(event.message) { swap(&$0.response.headers, &trailers) }
    }
    give(event.message)
  }

  /// Drops a message that nobody wants.
  package func discard(_ event: HTTP2Event) {
    if event.message >= 0 { give(event.message) }
  }

  func give(_ message: Int32) {
    withMessage(message) { $0.reset() }
    freeMessages.append(message)
  }

  /// `count` bytes of a body were used: the peer may send as many more on this stream.
  package func consumed(_ count: Int, slot: Int32) {
    guard count > 0 else { return }
    dropped(count)
    guard let id = streamID(slot) else { return }
    unsafe nghttp2_session_consume_stream(session, id, count)
  }

  /// Bytes of a stream that is gone were dropped: the connection's window is given back.
  ///
  /// A client's is open already: streams of one connection to an upstream belong to many clients, and those that read
  /// slowly must not hold up the others. Each stream's own window bounds what waits for its client.
  package func dropped(_ count: Int) {
    if count > 0, role == .server { unsafe nghttp2_session_consume_connection(session, count) }
  }

  /// We have sent all of this stream, up to its END_STREAM.
  package func isSent(slot: Int32) -> Bool {
    guard let id = streamID(slot) else { return true }
    return unsafe nghttp2_session_get_stream_local_close(session, id) != 0
  }

  /// The slot may be given to another stream: its `closed` event was handled.
  package func freeSlot(_ slot: Int32) {
    guard slots[Int(slot)].isUsed else { return }
    if slots[Int(slot)].trailers >= 0 { freeTrailers.append(slots[Int(slot)].trailers) }
    slots[Int(slot)] = Outgoing()
    freeSlots.append(slot)
  }

  /// Gives back memory that a connection with nothing under way does not need.
  package func releaseIdleMemory() {
    guard activeStreams == 0, current < 0, events.isEmpty, freeMessages.count == messages.count,
      unsafe nghttp2_session_want_write(session) == 0
    else { return }
    unsafe messageLinks = []
    messages = []
    freeMessages = []
    if freeTrailers.count == trailers.count {
      trailers = []
      freeTrailers = []
    }
    if let frameBlock = unsafe frameBlock { unsafe memory.dropPages(of: frameBlock) }
  }

  // MARK: Messages out

  /// Sends a request on a new stream; returns its slot, or -1 when the connection takes no more streams.
  package func submit(_ head: borrowing RequestHead, isHTTPS: Bool, endsStream: Bool) -> Int32 {
    let slot = takeSlot()
    let source = unsafe provider(slot)
    // Not through `self`: a closure that captures it retains it.
    let session = unsafe session
    let id = unsafe head.withFields(isHTTPS: isHTTPS, into: &memory.fields) { fields in
      unsafe withUnsafePointer(to: source) { source in
        unsafe nghttp2_submit_request(
          session, nil, fields.baseAddress, fields.count, endsStream ? nil : source, Self.userData(slot))
      }
    }
    guard id > 0 else {
      freeSlot(slot)
      return -1
    }
    slots[Int(slot)].streamID = id
    activeStreams += 1
    return slot
  }

  /// Sends a final response head.
  package func submit(_ head: borrowing ResponseHead, slot: Int32, endsStream: Bool) {
    guard let id = streamID(slot) else { return }
    let source = unsafe provider(slot)
    let session = unsafe session
    unsafe head.withFields(into: &memory.fields) { fields in
      unsafe withUnsafePointer(to: source) { source in
        unsafe _ = nghttp2_submit_response(
          session, id, fields.baseAddress, fields.count, endsStream ? nil : source)
      }
    }
  }

  /// Sends an interim (1xx) response head.
  package func submitInformational(_ head: borrowing ResponseHead, slot: Int32) {
    guard let id = streamID(slot) else { return }
    unsafe head.withFields(into: &memory.fields) { fields in
      unsafe _ = nghttp2_submit_headers(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, fields.baseAddress, fields.count, nil)
    }
  }

  /// `count` more bytes of the body are ready.
  package func offer(_ count: Int, slot: Int32) {
    slots[Int(slot)].available += count
    resume(slot)
  }

  /// The body is complete; `fields` are its trailers, if there are any.
  package func endBody(slot: Int32, trailers block: borrowing HeaderBlock) {
    guard !slots[Int(slot)].isEnded else { return }
    slots[Int(slot)].isEnded = true
    if !block.isEmpty { keep(block, slot) }
    resume(slot)
  }

  private func keep(_ block: borrowing HeaderBlock, _ slot: Int32) {
    if freeTrailers.isEmpty {
      freeTrailers.append(Int32(trailers.count))
      trailers.append(HTTP2Trailers())
    }
    let place = freeTrailers.removeLast()
    trailers[Int(place)].set(block)
    slots[Int(slot)].trailers = place
  }

  private func resume(_ slot: Int32) {
    guard slots[Int(slot)].isDeferred else { return }
    slots[Int(slot)].isDeferred = false
    unsafe nghttp2_session_resume_data(session, slots[Int(slot)].streamID)
  }

  /// Ends a stream at once. A `closed` event follows when the frame has gone out.
  package func reset(slot: Int32, _ code: HTTP2ErrorCode) {
    guard let id = streamID(slot) else { return }
    unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
  }

  /// Tells the peer that no more streams are taken soon, without refusing those that are under way (RFC 9113, 6.8).
  package func announceShutdown() {
    isLeaving = true
    unsafe nghttp2_submit_shutdown_notice(session)
  }

  /// Takes no more streams; those that came so far go on.
  package func goAway(_ code: HTTP2ErrorCode) {
    isLeaving = true
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, nil, 0)
  }

  /// Asks the peer for a sign of life: `pingAnswers` counts it.
  package func ping() {
    unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Ends the connection with `code`.
  package func terminate(_ code: HTTP2ErrorCode) {
    unsafe nghttp2_session_terminate_session(session, code.rawValue)
  }

  /// Whether the connection may be closed: nothing is to be sent and nothing expected.
  package var isFinished: Bool {
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// Whether the peer takes one more stream of ours (client).
  package var takesStreams: Bool {
    unsafe nghttp2_session_check_request_allowed(session) != 0 && activeStreams < peerMaxConcurrentStreams
  }

  // MARK: Bytes out

  /// What is to be sent next. After `bytes` and `data` the caller sends that and asks again.
  package func nextOutput() -> Output {
    isPendingWritten = pending != nil
    var start: UnsafePointer<UInt8>?
    let count = unsafe nghttp2_session_mem_send(session, &start)
    // The stream may be gone since its frame was written: then nghttp2 does not ask about it again.
    if isPendingWritten { pending = nil }
    if let pending { return .data(slot: pending.slot, count: pending.count) }
    guard count >= 0 else { return .failed }
    guard count > 0, let start = unsafe start else { return .none }
    unsafe output = (UnsafeRawPointer(start), count)
    return .bytes(count)
  }

  /// Lends the bytes of `.bytes`.
  package func withOutput<Result>(_ body: (RawSpan) -> Result) -> Result {
    guard let output = unsafe output else { return body(RawSpan()) }
    return unsafe body(RawSpan(_unsafeStart: output.start, byteCount: output.count))
  }

  /// Writes the nine bytes that go before the body bytes of `.data`; returns 9.
  package func writeDataHeader(into span: inout MutableRawSpan) -> Int {
    guard let pending else { return 0 }
    for index in 0..<9 { span.storeBytes(of: pending.header[index], toByteOffset: index, as: UInt8.self) }
    return 9
  }
}
