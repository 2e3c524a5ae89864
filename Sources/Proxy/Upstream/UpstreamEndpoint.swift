import Transport

/// One address of a cluster, as one worker sees it: its idle connections and its load.
///
/// Idle connections form a stack, most recently used first: warm ones stay warm, surplus ones reach their idle timeout.
package final class UpstreamEndpoint {
  package let address: SocketAddress
  /// `127.0.0.1:443`, for the access log.
  package let addressText: [UInt8]
  /// The share of the endpoint in weighted balancing, at least 1.
  package let weight: UInt32
  /// The number of its locality in the cluster.
  let locality: Int32
  /// Used while those of lower numbers can take the traffic.
  package let priority: Int32
  /// The share of its locality; 0 where localities have none of their own.
  let localityWeight: UInt32
  /// When it came or came back, in milliseconds of the loop's clock, while it warms up.
  var warmsSince: Int64?

  /// Errors in a row, where they are counted.
  let outliers: OutlierRecord?
  /// Left out by outlier detection.
  package internal(set) var isEjected = false
  /// Requests that wait for a connection, because of a limit.
  private var queue: [Ref<Stream>] = []
  private(set) var queuedCount = 0
  /// Those that wait for room on an HTTP/2 connection.
  private var http2Queue: [Ref<Stream>] = []
  private(set) var http2QueuedCount = 0

  /// Requests that are with this endpoint now.
  package var activeRequests = 0
  /// Connections to this endpoint, idle ones included.
  package var connectionCount = 0
  /// Those in HTTP/1, which requests wait for.
  var http1ConnectionCount = 0
  /// The verdict of the active probe; true where there is none.
  package var isHealthy = true
  /// The endpoint left its cluster: its connections close when they are done.
  package private(set) var isRetired = false
  /// Requests, successes and failures of this endpoint on this worker.
  package var counters = EndpointCounters()

  private var idleTop: Ref<HTTP1UpstreamConnection>?
  /// Shared by many requests each, in the order in which they were opened.
  private var http2: [Ref<HTTP2UpstreamConnection>] = []

  init(
    address: SocketAddress, weight: UInt32, locality: Int32 = 0, priority: Int32 = 0, localityWeight: UInt32 = 0,
    outliers: OutlierRecord? = nil
  ) {
    self.address = address
    self.outliers = outliers
    self.priority = priority
    self.localityWeight = localityWeight
    self.locality = locality
    self.weight = max(1, weight)
    addressText = Array(address.description.utf8)
  }

  /// Whether a connection is there that takes one more request.
  func hasRoom(for stream: Stream, isHTTP2: Bool) -> Bool {
    isHTTP2 ? availableHTTP2(for: stream) != nil : idleTop != nil
  }

  /// Takes the most recently used idle connection.
  func takeIdle() -> Ref<HTTP1UpstreamConnection>? {
    guard let top = idleTop else { return nil }
    top.with { remove($0) }
    return top
  }

  /// Puts a connection on top of the idle ones.
  func putIdle(_ connection: HTTP1UpstreamConnection) {
    connection.idleBelow = idleTop
    connection.idleAbove = nil
    idleTop?.with { $0.idleAbove = Ref(connection) }
    idleTop = Ref(connection)
  }

  /// Takes one idle connection out, wherever it is.
  func remove(_ connection: HTTP1UpstreamConnection) {
    let above = connection.idleAbove
    let below = connection.idleBelow
    if let above {
      above.with { $0.idleBelow = below }
    } else {
      idleTop = below
    }
    below?.with { $0.idleAbove = above }
    connection.idleAbove = nil
    connection.idleBelow = nil
  }

  // MARK: Waiting for a connection

  /// Lets a request wait for a connection, or for room on one that others share.
  func enqueue(_ stream: Stream, isHTTP2: Bool = false) {
    if isHTTP2 {
      http2Queue.append(Ref(stream))
      http2QueuedCount += 1
    } else {
      queue.append(Ref(stream))
      queuedCount += 1
    }
  }

  /// A request does not wait any more.
  func dequeue(_ stream: Stream) {
    queue.removeAll { $0.isLink(to: stream) }
    queuedCount = queue.count
    http2Queue.removeAll { $0.isLink(to: stream) }
    http2QueuedCount = http2Queue.count
  }

  /// A connection became idle or closed: serves those that wait, the first first.
  func serveQueue(_ breaker: CircuitBreaker?) {
    while queuedCount > 0 {
      let idle = takeIdle()
      guard idle != nil || http1ConnectionCount == 0 || breaker?.isConnectionLimitReached != true else { return }
      let first = queue.removeFirst()
      queuedCount = queue.count
      if let idle { first.with { $0.dequeued(idle) } } else { first.with { $0.dequeuedToConnect() } }
    }
  }

  /// A stream or a connection ended: serves those that wait for HTTP/2, in their order.
  ///
  /// - Parameter isNamed: connections are for one client each (PROXY protocol), so that one behind may find room where
  ///   the first does not.
  func serveHTTP2Queue(_ breaker: CircuitBreaker?, isNamed: Bool) {
    var index = 0
    while index < http2Queue.count {
      let next = http2Queue[index]
      let connection = next.with { availableHTTP2(for: $0) }
      let mayOpen = http2.isEmpty || breaker?.isConnectionLimitReached != true
      if connection != nil || mayOpen {
        http2Queue.remove(at: index)
        http2QueuedCount = http2Queue.count
        next.with { $0.dequeued(toJoin: connection) }
      } else if isNamed {
        index += 1
      } else {
        return
      }
    }
  }

  // MARK: HTTP/2

  /// Whether there is any connection in HTTP/2, one that takes no more requests included.
  var hasHTTP2Connection: Bool { !http2.isEmpty }

  /// The first HTTP/2 connection that takes one more request, one that is being opened included.
  func availableHTTP2(for stream: Stream) -> Ref<HTTP2UpstreamConnection>? {
    for index in 0..<http2.count where http2[index].with({ $0.takesRequests && $0.serves(stream) }) {
      return http2[index]
    }
    return nil
  }

  func add(_ connection: HTTP2UpstreamConnection) {
    http2.append(Ref(connection))
  }

  func remove(_ connection: HTTP2UpstreamConnection) {
    http2.removeAll { $0.isLink(to: connection) }
  }

  /// Closes what is idle; what is busy closes when it is done.
  func retire() {
    isRetired = true
    while let connection = takeIdle() { connection.with { $0.closeIdle() } }
    for connection in http2 { connection.with { $0.retire() } }
  }
}
