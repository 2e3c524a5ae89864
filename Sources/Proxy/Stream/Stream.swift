import Routing
import Transport
import Wire

/// One request and its response: routed, sent to an endpoint, retried if need be, answered, logged.
///
/// A stream knows heads and body bytes, not protocols: the codecs on its two sides translate. It is taken from the
/// worker's pool when a request begins and returns there when the response has ended; nothing is allocated in between.
///
/// Bodies are not stored here. The side that has bytes offers them, the other side takes what it can send, and the rest
/// stays in the buffer of the connection it came from, which stops reading: back-pressure without a mechanism of its
/// own.
package final class Stream: EventHandler {
  let worker: Ref<Worker>
  let loop: EventLoop

  // The message.
  package var request = RequestHead()
  package var response = ResponseHead()
  package var requestTrailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
  package var responseTrailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)

  // The way.
  package internal(set) var state = StreamState.idle
  var downstream = DownstreamLink.none
  var upstream = UpstreamLink.none
  var generation: Ref<WorkerGeneration>?
  var cluster: Ref<UpstreamCluster>?
  var endpoint: Ref<UpstreamEndpoint>?
  var routeIndex: Int32 = -1
  var destinationIndex: Int32 = -1
  var virtualHostIndex: Int32 = -1
  var route = Route.none
  var source = StreamSource()

  // Progress.
  /// The request has arrived completely.
  var requestEnded = false
  /// Body bytes of the request that went upstream.
  var requestBodyBytes = 0
  /// Body bytes of the response that went downstream.
  var responseBodyBytes = 0
  /// Attempts made, the first included.
  var attempts = 0
  var retriesLeft = 0
  /// A retry was due, and a limit or a budget did not allow it.
  var isRetryOverflow = false
  /// What the client's `x-envoy-` fields make of the route's policy, and the response fields that it wants retried.
  var ownRetryPolicy: RetryPolicy?
  var retriableFields: [[UInt8]] = []
  /// One more attempt is allowed because a kept-alive connection turned out to be closed.
  var mayReplay = true
  /// A copy of the body is kept, and complete so far.
  var keepsBody = false
  var keptBody: [UInt8] = []
  /// The kept body is on its way again; `replayedBytes` of it were taken.
  var isReplaying = false
  var replayedBytes = 0
  /// What was tried in vain.
  var tried: [TriedEndpoint] = []
  /// The cluster has limits; `held` is what this stream has of them.
  var hasLimits = false
  var held: CircuitBreaker.Resources = []
  /// The cluster ejects endpoints by what becomes of requests.
  var watchesOutcome = false
  /// What a cluster with consistent hashing balances by, and the cookie that was made for it.
  var balancingHash: UInt64?
  var newCookie: [UInt8] = []
  /// The clusters that get a copy of this request.
  var plannedMirrors: [Int32] = []
  /// This stream is such a copy, for this cluster; else -1.
  var mirrorCluster: Int32 = -1
  /// `corsPolicy` allows the page that asks.
  var isCrossOrigin = false
  /// The answer is what the route says in place of forwarding: its `headers.response` apply.
  var isRouteAnswer = false
  /// The request has its forwarding fields, or needs none: it was not even routed.
  var isPrepared = true
  /// Both sides agreed to switch protocols: bytes pass both ways until both have ended.
  var isTunnel = false

  // What the log will say.
  var flags: ResponseFlags = []
  var details: StaticString = ""
  /// The body of a local reply, and how much of it went out.
  var localBody: [UInt8]?
  var localBodySent = 0
  var failureReason: String?
  var startNanoseconds: Int64 = 0
  /// When the request had arrived completely; noted where a `statPrefix` asks for it, else 0.
  var requestEndNanoseconds: Int64 = 0
  var upstreamStartNanoseconds: Int64 = 0
  var responseStartNanoseconds: Int64 = 0
  /// The last endpoint that was tried, and our side of the connection to it.
  var upstreamAddress: SocketAddress?
  var upstreamLocalAddress: SocketAddress?

  var routeTimer = TimerID.none
  var tryTimer = TimerID.none
  var backOffTimer = TimerID.none

  enum Timer {
    static let route: UInt8 = 1
    static let attempt: UInt8 = 2
    static let backOff: UInt8 = 3
    static let fault: UInt8 = 4
    static let mirror: UInt8 = 5
  }

  init(worker: Worker) {
    self.worker = Ref(worker)
    loop = worker.loop
    super.init()
  }

  // MARK: From the downstream side

  /// The request head is complete: finds the route and sets out.
  func begin(from link: DownstreamLink, source: StreamSource, generation: Ref<WorkerGeneration>) {
    downstream = link
    self.source = source
    self.generation = generation
    generation.with { $0.activeStreams += 1 }
    state = .routing
    startNanoseconds = loop.nowNanoseconds
    worker.with {
      $0.counters.requests += 1
      $0.counters.activeRequests += 1
    }
    generation.with { route(in: $0) }
  }

  /// Offers bytes of the request body; returns how many were taken. `DownstreamLink.resumeRequestBody()` follows when
  /// not all were.
  func requestBody(_ span: RawSpan) -> Int {
    // An upgrade was declined: the upstream would take what still comes for another request.
    if requestEnded { return span.byteCount }
    guard state == .streaming || (state == .awaitingResponse && !request.wantsUpgrade) else { return 0 }
    return keepsBody ? requestBodyKept(span) : forwardRequestBody(span)
  }

  /// Hands body bytes to the upstream codec.
  func forwardRequestBody(_ span: RawSpan) -> Int {
    let taken = upstream.sendRequestBody(span)
    // The upstream may have failed at that, and the stream be over.
    if state != .idle { requestBodyBytes += taken }
    return taken
  }

  /// The request has arrived completely, `requestTrailers` included.
  func endRequest() {
    requestEnded = true
    if !route.features.isDisjoint(with: [.mirrors, .statistics]) {
      noteRequestEnd()
      if route.features.contains(.mirrors) { beginMirrors() }
    }
    armRouteTimer()
    guard state == .awaitingResponse || state == .streaming else { return }
    armPerTryTimer()
    if !isReplaying { endRequestUpstream() }
  }

  /// The downstream connection can take more of the response.
  func downstreamDrained() {
    if localBody != nil { sendLocalBody() } else { upstream.resumeResponseBody() }
  }

  /// The client is gone; nobody wants the answer.
  func downstreamClosed(
    _ flag: ResponseFlags = .downstreamConnectionTermination, details: StaticString = "downstream_remote_disconnect"
  ) {
    flags.insert(flag)
    if self.details.utf8CodeUnitCount == 0 || response.status != 0 { self.details = details }
    cancelUpstream()
    finish()
  }

  // MARK: From the upstream side

  /// An interim response came; `response` holds it until the next head.
  func informationalArrived() {
    response.prepareInterim()
    downstream.sendInformational(self)
  }

  /// The final response head is in `response`. Returns false when the stream does not want this response (it will try
  /// again).
  func responseArrived() -> Bool {
    responseStartNanoseconds = loop.nowNanoseconds
    loop.cancel(&tryTimer)
    if watchesOutcome { noteAnswer() }
    if shouldRetry() {
      retry()
      return false
    }
    countUpstreamResponse()
    state = .streaming
    details = "via_upstream"
    prepareResponse()
    if request.wantsUpgrade { settleUpgrade() } else { sendResponseHead() }
    return true
  }

  /// The upstream switched protocols: bytes go both ways from now on. Or it did not, and this is a response like others.
  private func settleUpgrade() {
    isTunnel = response.status == 101 || request.isConnect
    if !isTunnel {
      requestEnded = true
      upstream.endRequest(self)
    }
    if isTunnel { loop.cancel(&routeTimer) }
    sendResponseHead()
    guard isTunnel, state == .streaming else { return }
    if requestEnded { endRequestUpstream() } else { upstreamDrained() }
  }

  /// Offers bytes of the response body; returns how many were taken.
  func responseBody(_ span: RawSpan) -> Int {
    let taken = downstream.sendResponseBody(span)
    // The client may have turned out to be gone, and the stream be over.
    if state != .idle { responseBodyBytes += taken }
    return taken
  }

  /// The upstream's direction of a tunnel has ended; what the client still has to say goes on.
  func tunnelResponseEnded() {
    downstream.endTunnelOutput()
  }

  /// The response has ended, `responseTrailers` included. The upstream connection has let go of the stream already.
  func endResponse() {
    upstream = .none
    downstream.endResponse(self)
    finish()
  }

  /// The upstream connection can take more of the request.
  func upstreamDrained() {
    if isReplaying { return replayBody() }
    downstream.resumeRequestBody()
  }

  private func prepareResponse() {
    let milliseconds = Int((responseStartNanoseconds - upstreamStartNanoseconds) / 1_000_000)
    worker.with { $0.prepare(&response, serviceMilliseconds: milliseconds) }
    if isCrossOrigin { markCrossOrigin() }
    if !newCookie.isEmpty { sendNewCookie() }
    guard destinationIndex >= 0 else { return }
    if route.features.contains(.valueOperators) {
      generation?.with { editResponse($0.snapshot, $0.snapshot.destinations[Int(destinationIndex)]) }
      return
    }
    generation?.with {
      $0.snapshot.applyResponseActions(route, $0.snapshot.destinations[Int(destinationIndex)], to: &response)
    }
  }

  /// Hands the response head to the downstream codec, which serialises it.
  func sendResponseHead() {
    downstream.sendResponseHead(self)
  }

  // MARK: Ending

  /// Writes the log record and returns the stream to the pool.
  func finish() {
    guard state != .idle else { return }
    loop.cancel(&routeTimer)
    loop.cancel(&tryTimer)
    loop.cancel(&backOffTimer)
    letGoOfEndpoint()
    if !held.isEmpty { releaseLimits() }
    if mirrorCluster >= 0 { mirrorEnded() } else { worker.with { $0.streamFinished(self) } }
    generation?.with { $0.streamEnded() }
    reset()
    worker.with { $0.streams.give(self) }
  }

  /// Clears what belongs to one request. Buffers keep their memory.
  func reset() {
    state = .idle
    request.reset()
    response.reset()
    requestTrailers.removeAll()
    responseTrailers.removeAll()
    downstream = .none
    upstream = .none
    generation = nil
    cluster = nil
    endpoint = nil
    routeIndex = -1
    destinationIndex = -1
    virtualHostIndex = -1
    route = .none
    requestEnded = false
    requestBodyBytes = 0
    responseBodyBytes = 0
    attempts = 0
    retriesLeft = 0
    isRetryOverflow = false
    mayReplay = true
    if ownRetryPolicy != nil {
      ownRetryPolicy = nil
      retriableFields = []
    }
    if keepsBody { forgetBody() }
    isReplaying = false
    if !tried.isEmpty { tried.removeAll(keepingCapacity: true) }
    isCrossOrigin = false
    isRouteAnswer = false
    isPrepared = true
    isTunnel = false
    if !plannedMirrors.isEmpty { plannedMirrors.removeAll(keepingCapacity: true) }
    mirrorCluster = -1
    hasLimits = false
    watchesOutcome = false
    balancingHash = nil
    if !newCookie.isEmpty { newCookie = [] }
    flags = []
    details = ""
    if localBody != nil { localBody = nil }
    if failureReason != nil { failureReason = nil }
    requestEndNanoseconds = 0
    upstreamStartNanoseconds = 0
    responseStartNanoseconds = 0
    upstreamAddress = nil
    upstreamLocalAddress = nil
  }

  /// Frees what it has grown to, of a stream that is not in use.
  func releaseMemory() {
    request = RequestHead(byteCapacity: 0)
    response = ResponseHead(byteCapacity: 0)
    requestTrailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    responseTrailers = HeaderBlock(byteCapacity: 0, fieldCapacity: 0)
    tried = []
    plannedMirrors = []
  }

  // MARK: For the log

  /// From the first byte of the request to now.
  var durationMilliseconds: Int { Int((loop.nowNanoseconds - startNanoseconds) / 1_000_000) }

  /// How long the upstream took to begin its answer; nil when the answer is not the upstream's.
  var serviceMilliseconds: Int? {
    guard upstreamStartNanoseconds > 0, responseStartNanoseconds >= upstreamStartNanoseconds, endedByUpstream else {
      return nil
    }
    return Int((responseStartNanoseconds - upstreamStartNanoseconds) / 1_000_000)
  }

  /// From the end of the request to now, for a response that came whole from the upstream: Envoy's `upstream_rq_time`.
  var upstreamMilliseconds: Int? {
    guard requestEndNanoseconds > 0, endedByUpstream, flags.isDisjoint(with: .brokenOff) else { return nil }
    return Int((loop.nowNanoseconds - requestEndNanoseconds) / 1_000_000)
  }

  private var endedByUpstream: Bool { response.headers.contains(.xEnvoyUpstreamServiceTime) }

  /// Bytes of the names that the log line holds.
  var nameBytes: Int {
    var count = cluster.map { $0.with { $0.nameBytes.count } } ?? 0
    if routeIndex >= 0 {
      count += generation.map { $0.with { $0.snapshot.routeFacts[Int(routeIndex)].nameBytes.count } } ?? 0
    }
    return count
  }

  // MARK: Timers

  package override func timerFired(_ tag: UInt8) {
    switch tag {
    case Timer.route:
      routeTimer = .none
      if watchesOutcome, state != .streaming { noteFailure() }
      timedOut(details: "response_timeout")
    case Timer.attempt:
      tryTimer = .none
      attemptTimedOut()
    case Timer.backOff:
      backOffTimer = .none
      if state == .backingOff { attempt() }
    case Timer.mirror:
      backOffTimer = .none
      sendMirror()
    case Timer.fault:
      backOffTimer = .none
      delayEnded()
    default: break
    }
  }
}
